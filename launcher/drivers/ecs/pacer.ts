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
    if (this.#tokens >= 0) return;
    await delay(this.#clock, (-this.#tokens / this.#budget.perSecond) * 1_000, signal);
    if (!signal.aborted) return;
    this.#tokens += 1;
    signal.throwIfAborted();
  }

  /** The service throttles: no further call goes out for `forMs`, and no burst after that. */
  hold(forMs: number): void {
    this.#count();
    const { perSecond } = this.#budget;
    this.#tokens = Math.min(this.#tokens, (-forMs / 1_000) * perSecond);
  }

  #count(): void {
    const nowMs = this.#clock.nowMs();
    const { burst, perSecond } = this.#budget;
    const earned = ((nowMs - this.#countedAtMs) / 1_000) * perSecond;
    this.#tokens = Math.min(burst, this.#tokens + earned);
    this.#countedAtMs = nowMs;
  }
}
