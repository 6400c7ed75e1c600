/** A clock that stands still until a test moves it. */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../launcher/lib/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

export class FakeClock implements Clock {
  #nowMs: number;
  readonly #timers = new Set<Timer>();

  constructor(startMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  timer(delayMs: number, fire: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(delayMs, 0), fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that are set: 0 at a test's end proves that none was left behind. */
  get pending(): number {
    return this.#timers.size;
  }

  /**
   * Moves on by `ms`, firing each timer at its own time, in order, also those that are set on the
   * way; promises settle in between.
   */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await setImmediate();
    while (await this.step(endMs));
  }

  /** Moves on to the next timer until `endMs` and fires it; false, at `endMs`, when there is none. */
  async step(endMs: number): Promise<boolean> {
    const next = this.#next(endMs);
    if (!next) {
      this.#nowMs = endMs;
      return false;
    }
    this.#timers.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.fire();
    await setImmediate();
    return true;
  }

  /** The first due timer; of equal ones the one set first. */
  #next(endMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= endMs && (first === undefined || timer.atMs < first.atMs)) first = timer;
    }
    return first;
  }
}
