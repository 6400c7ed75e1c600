/** How long a task waits before the next look at its room, and before the next offer. */

const LOOK_AGAIN_MS = [200, 500, 1_000, 2_000, 5_000];
const OFFER_BACKOFF_MS = 200;
const OFFER_BACKOFF_MAX_MS = 5_000;

/** After the `waits`th look in a row (from 1) that said to wait; the last delay repeats. */
export function lookAgainMs(waits: number): number {
  return LOOK_AGAIN_MS[Math.min(waits, LOOK_AGAIN_MS.length) - 1] ?? 0;
}

/** After `failures` offers (from 1) that were refused, expired or could not be kept. */
export function offerBackoffMs(failures: number): number {
  return Math.min(OFFER_BACKOFF_MS * 2 ** (failures - 1), OFFER_BACKOFF_MAX_MS);
}
