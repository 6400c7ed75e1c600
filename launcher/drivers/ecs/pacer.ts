/**
 * Keeps calls within a rate that the service allows, so that a burst waits here instead of being
 * throttled there. A token bucket: full it lets `burst` calls go at once, then `perSecond`.
 */
import { type Clock, delay } from '../../lib/clock.ts';

export interface Budget {
  readonly burst: number;
  readonly perSecond: number;
}

export class Pacer {
  readonly #clock: Clock;
  readonly #budget: Budget;
  /** Below 0: calls that wait, each for its own moment. */
  #tokens: number;
  #countedAtMs: number;
  #heldUntilMs = -Infinity;
  /** By how much holds have put off, in all, what waits. */
  #heldMs = 0;

  constructor(clock: Clock, budget: Budget) {
    this.#clock = clock;
    this.#budget = budget;
    this.#tokens = budget.burst;
    this.#countedAtMs = clock.nowMs();
  }

  /** Resolves when a call may go out, in the order of asking. Rejects when `signal` aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#count();
    this.#tokens -= 1;
    let waitMs = (-this.#tokens / this.#budget.perSecond) * 1_000;
    while (waitMs > 0 && !signal.aborted) {
      const heldMs = this.#heldMs;
      await delay(this.#clock, waitMs, signal);
      waitMs = this.#heldMs - heldMs;
    }
    if (!signal.aborted) return;
    this.#tokens += 1;
    signal.throwIfAborted();
  }

  /** The service throttles: no call goes out for `forMs`, also none that waits, and no burst then. */
  hold(forMs: number): void {
    this.#count();
    const untilMs = Math.max(this.#heldUntilMs, this.#countedAtMs + forMs);
    const longerMs = untilMs - Math.max(this.#heldUntilMs, this.#countedAtMs);
    this.#heldUntilMs = untilMs;
    this.#heldMs += longerMs;
    this.#tokens = Math.min(this.#tokens, 0) - (longerMs / 1_000) * this.#budget.perSecond;
  }

  #count(): void {
    const nowMs = this.#clock.nowMs();
    const { burst, perSecond } = this.#budget;
    const earned = ((nowMs - this.#countedAtMs) / 1_000) * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + earned);
    this.#countedAtMs = nowMs;
  }
}
