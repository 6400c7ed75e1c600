/** Throws for a bug of ours; what engines, LiveKit or users may do is never asserted. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}
