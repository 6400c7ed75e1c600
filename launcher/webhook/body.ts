/** Reading a request's body without giving it more memory than a webhook needs. */

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
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) return { outcome: 'too-large' };
      chunks.push(chunk);
    }
  } catch {
    return { outcome: 'broken' };
  }
  return { outcome: 'read', bytes: Buffer.concat(chunks) };
}
