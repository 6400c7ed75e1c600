/**
 * Stops that are under way. The engine answers a stop only when the container has ended, and carries
 * it out to the end by itself, also when this process goes away: so the request is held open in the
 * background, and while it is, the task shows as `stopping`.
 */
import { withAny } from '../../lib/abort.ts';
import { type Clock, delay } from '../../lib/clock.ts';
import { type Log, reasonOf } from '../../lib/log.ts';
import type { Engine } from './calls.ts';

/** An engine that refuses a stop says so sooner; after this it has taken the request. */
const TAKEN_MS = 200;
/** How long after the grace an engine may take for the end itself. */
const END_MS = 60_000;

type Stopper = Pick<Engine, 'stop'>;

export class Stops {
  readonly #clock: Clock;
  readonly #log: Log;
  /** When SIGKILL is due, by container; the earliest that was asked for. */
  readonly #dueAtMs = new Map<string, number>();
  readonly #end = new AbortController();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  isStopping(id: string): boolean {
    return this.#dueAtMs.has(id);
  }

  /**
   * Asks for the end within `graceMs`, in whole seconds upwards. True once the engine has taken the
   * request, false when there is nothing to stop. A repeat that would not hurry the end is not sent:
   * programs take a second SIGTERM for impatience.
   */
  async ask(engine: Stopper, id: string, graceMs: number, signal: AbortSignal): Promise<boolean> {
    const seconds = Math.ceil(graceMs / 1000);
    const dueAtMs = this.#clock.nowMs() + seconds * 1000;
    if (dueAtMs >= (this.#dueAtMs.get(id) ?? Infinity)) return true;
    this.#dueAtMs.set(id, dueAtMs);
    const answer = this.#held(engine, id, seconds).finally(() => {
      if (this.#dueAtMs.get(id) === dueAtMs) this.#dueAtMs.delete(id);
    });
    const waiting = new AbortController();
    const taken = delay(this.#clock, TAKEN_MS, signal, waiting.signal);
    const early = await Promise.race([answer, taken.then(() => 'taken' as const)]).finally(() =>
      waiting.abort(),
    );
    if (early !== 'taken') return early;
    answer.catch((error: unknown) => {
      if (this.#end.signal.aborted) return;
      this.#log.warn('the engine did not finish a stop', { id, reason: reasonOf(error) });
    });
    return true;
  }

  /** Lets go of the requests; the engine carries them out. */
  close(): void {
    this.#end.abort();
  }

  async #held(engine: Stopper, id: string, seconds: number): Promise<boolean> {
    const late = new AbortController();
    const cancel = this.#clock.timer(seconds * 1000 + END_MS, () => late.abort());
    try {
      return await withAny([this.#end.signal, late.signal], (signal) =>
        engine.stop(id, seconds, signal),
      );
    } finally {
      cancel();
    }
  }
}
