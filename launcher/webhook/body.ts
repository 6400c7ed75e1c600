/** Reading a request's body without giving it more memory than a webhook needs. */
import { readLimited } from '../lib/read-limited.ts';

export type Body =
  | { readonly outcome: 'read'; readonly bytes: Buffer }
  | { readonly outcome: 'too-large' }
  /** The sender went away, or was cut off, in the middle. */
  | { readonly outcome: 'broken' };

/** Whether a request says that its body has more than `maxBytes`. */
export function declaresMore(request: Request, maxBytes: number): boolean {
  return Number(request.headers.get('content-length')) > maxBytes;
}

/** Reads at most `maxBytes`. */
export async function readBody(request: Request, maxBytes: number): Promise<Body> {
  try {
    const bytes = await readLimited(request.body ?? [], maxBytes);
    return bytes === null ? { outcome: 'too-large' } : { outcome: 'read', bytes };
  } catch {
    return { outcome: 'broken' };
  }
}
