/** Reading a request's body without giving it more memory than a webhook needs. */
import type { IncomingMessage } from 'node:http';

export type Body =
  | { readonly outcome: 'read'; readonly bytes: Buffer }
  | { readonly outcome: 'too-large' }
  /** The sender went away, or was cut off, in the middle. */
  | { readonly outcome: 'broken' };

/** Whether a request says that its body has more than `maxBytes`. */
export function declaresMore({ headers }: IncomingMessage, maxBytes: number): boolean {
  return Number(headers['content-length']) > maxBytes;
}

/** Reads at most `maxBytes`. By events: reading it as a stream costs more than checking what it is. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  return new Promise((resolve) => {
    const kept: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) kept.push(chunk);
      else resolve({ outcome: 'too-large' });
    });
    request.on('end', () => resolve({ outcome: 'read', bytes: Buffer.concat(kept) }));
    const broken = () => resolve({ outcome: 'broken' });
    if (request.destroyed) return broken(); // Of that nothing is told any more.
    request.on('error', broken);
    request.on('close', broken);
  });
}
