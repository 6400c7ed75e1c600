/** Reading a stranger's request body without giving it more memory than a webhook needs. */

export type Body =
  | { readonly outcome: 'read'; readonly text: string }
  | { readonly outcome: 'too-large' }
  /** The sender went away, or was cut off, in the middle. */
  | { readonly outcome: 'broken' };

/** Reads at most `maxBytes`; a declared length above it is refused unread. */
export async function readBody(request: Request, maxBytes: number): Promise<Body> {
  if (Number(request.headers.get('content-length')) > maxBytes) return { outcome: 'too-large' };
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
  return { outcome: 'read', text: Buffer.concat(chunks).toString() };
}
