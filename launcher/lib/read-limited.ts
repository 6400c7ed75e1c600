/** Reading what a stranger sends without giving it more memory than it needs. */

/** All of `chunks`, or null as soon as they have more than `maxBytes`. Rejects as they do. */
export async function readLimited(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer | null> {
  const kept: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return null;
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}
