/** Waiting for a state, looked at every four milliseconds: the resolution of all times here. */
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 4;
const LIMIT_MS = 90_000;

/**
 * Calls `probe` until it gives a truthy value, and returns that. Rejects with `what`, and with what
 * went wrong last, when that takes too long; a probe that throws counts as not yet.
 */
export async function until(what, probe, limitMs = LIMIT_MS) {
  const endMs = performance.now() + limitMs;
  let last = '';
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) {
      last = `: ${error.message}`;
    }
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}${last}`);
    await sleep(POLL_MS);
  }
}
