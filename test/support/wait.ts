/** Waits for a state instead of a time; the error says what never came and what was seen last. */
import { inspect } from 'node:util';
import { delay, systemClock } from '../../launcher/lib/clock.ts';

const POLL_MS = 20;

/**
 * Calls `probe` until it returns a truthy value, and returns that. A probe that throws counts as
 * not yet. Rejects after `deadlineMs` with `what` and the last value or error.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> {
  const endMs = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) {
      const seen = inspect(last, { depth: 4 });
      throw new Error(`waited ${deadlineMs} ms for ${what}; last seen: ${seen}`, { cause: last });
    }
    await delay(systemClock, POLL_MS);
  }
}
