/**
 * Lists of tasks that the engine's hints ask for. Hints come in hundreds while many tasks start, and a
 * list of thousands takes many calls: so there is one list at a time, and after each a rest as long as
 * it took. However many tasks there are, hints keep the engine busy for half of the time at most.
 */
import { delay, type Clock } from '../lib/clock.ts';
import type { Observer } from './observe.ts';

/** Beyond the list's lag, so that what a hint was about shows by then. */
const BEYOND_LAG_MS = 20;

export interface HintedListsParts {
  readonly observer: Pick<Observer, 'freshTasks' | 'turn'>;
  readonly clock: Clock;
  /** How far the engine's list lags behind. */
  readonly listLagMs: number;
  /** The engine did not list its tasks. */
  readonly failed: () => void;
}

export class HintedLists {
  readonly #parts: HintedListsParts;
  readonly #end = new AbortController();
  #asked = false;
  #listing = false;
  /** Cancels the list that follows a hint where lists lag behind. */
  #lateList: (() => void) | null = null;

  constructor(parts: HintedListsParts) {
    this.#parts = parts;
  }

  /** The engine hints at a change: what changed is nudged by the observer. */
  hint(): void {
    const { clock, listLagMs } = this.#parts;
    if (this.#end.signal.aborted) return;
    void this.#list();
    if (listLagMs === 0 || this.#lateList) return;
    // What the hint was about may show only then.
    this.#lateList = clock.timer(listLagMs + BEYOND_LAG_MS, () => {
      this.#lateList = null;
      void this.#list();
    });
  }

  stop(): void {
    this.#end.abort();
    this.#lateList?.();
  }

  async #list(): Promise<void> {
    this.#asked = true;
    if (this.#listing) return;
    this.#listing = true;
    const { observer, clock, failed } = this.#parts;
    const { signal } = this.#end;
    while (this.#asked && !signal.aborted) {
      this.#asked = false;
      const begunAtMs = clock.nowMs();
      await observer.freshTasks(observer.turn()).catch(failed);
      await delay(clock, clock.nowMs() - begunAtMs, signal);
    }
    this.#listing = false;
  }
}
