/** Time as an argument: production code takes a `Clock`, tests hand in one that they move. */
export interface Clock {
  /**
   * Unix time that never steps: what was noted earlier stays earlier, also when the machine's clock
   * is set. Times of others (an engine's, LiveKit's) may be off by as much as their clocks are.
   */
  nowMs(): number;
  /** Calls `fire` once after `delayMs`; the returned function cancels it. */
  timer(delayMs: number, fire: () => void): () => void;
}

/** Longest delay that Node's timers take; a longer one would fire at once. */
const TIMER_MAX_MS = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: () => Math.round(performance.timeOrigin + performance.now()),
  timer(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(delayMs, 0), TIMER_MAX_MS));
    return () => clearTimeout(handle);
  },
};

/** Resolves after `delayMs` by `clock`, or at once when `signal` aborts. */
export function delay(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.timer(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
