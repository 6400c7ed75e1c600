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

/**
 * Resolves after `delayMs` by `clock`, or at once when one of the signals aborts. Leaves nothing at
 * signals that live on, as `AbortSignal.any` does.
 */
export function delay(
  clock: Clock,
  delayMs: number,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<void> {
  return new Promise((resolve) => {
    if (signals.some((signal) => signal?.aborted)) return resolve();
    const done = () => {
      cancel();
      for (const signal of signals) signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.timer(delayMs, done);
    for (const signal of signals) signal?.addEventListener('abort', done, { once: true });
  });
}
