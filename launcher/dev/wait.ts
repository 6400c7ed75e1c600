/** Waiting with a deadline, so that whatever does not come is named instead of waited for. */
import { delay, type Clock } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';

/** A step of the demo that did not come about. `message` says why, for people. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
  readonly step: string;
  constructor(step: string, why: string, options?: { cause?: unknown }) {
    super(why, options);
    this.step = step;
  }
}

export interface Wait {
  readonly clock: Clock;
  /** Ends every wait: Ctrl-C. */
  readonly signal: AbortSignal;
  /** Rejects when waiting has become pointless (the launcher ended, the task failed). */
  readonly trouble: Promise<never>;
}

/** What `wanted` resolves with; `StepFailed` when it fails or takes longer than `deadlineMs`. */
export async function until<T>(
  step: string,
  wanted: Promise<T>,
  deadlineMs: number,
  { clock, signal, trouble }: Wait,
): Promise<T> {
  signal.throwIfAborted();
  const over = new AbortController();
  const late = delay(clock, deadlineMs, signal, over.signal).then((): never => {
    signal.throwIfAborted();
    throw new StepFailed(step, `did not happen within ${deadlineMs / 1000} s`);
  });
  try {
    return await Promise.race([wanted, trouble, late]);
  } catch (error) {
    if (error instanceof StepFailed || signal.aborted) throw error;
    throw new StepFailed(step, reasonOf(error), { cause: error });
  } finally {
    over.abort();
    late.catch(() => {});
  }
}

/** Asks `probe` every `pollMs` until it answers true; false after `deadlineMs`. */
export async function poll(
  probe: () => Promise<boolean>,
  timing: { readonly pollMs: number; readonly deadlineMs: number; readonly clock: Clock },
  signal?: AbortSignal,
): Promise<boolean> {
  const endMs = timing.clock.nowMs() + timing.deadlineMs;
  while (!(await probe())) {
    if (signal?.aborted || timing.clock.nowMs() > endMs) return false;
    await delay(timing.clock, timing.pollMs, signal);
  }
  return true;
}

/** Settles with `work`, but resolves after `limitMs` if that is sooner: for what may never settle. */
export async function atMost(limitMs: number, work: Promise<unknown>, clock: Clock): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([work, delay(clock, limitMs, over.signal)]);
  } finally {
    over.abort();
  }
}

/** A promise that something outside settles; opening it twice is harmless. */
export class Gate {
  readonly #open = new EventTarget();
  readonly opened = new Promise<void>((resolve) => {
    this.#open.addEventListener('open', () => resolve(), { once: true });
  });

  open(): void {
    this.#open.dispatchEvent(new Event('open'));
  }
}
