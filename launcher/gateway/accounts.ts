/**
 * What the gateway saw of workers that did not come as far as a job, in words: for the user who asks
 * why the agent of a task never came into its room. It decides nothing, and a restart may lose it.
 */
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';

/** Tasks of which something is remembered; the oldest go first. */
const NOTES_MAX = 1_000;
const NEVER_DIALLED =
  'no worker of it has dialled this launcher: does it run a LiveKit worker, with the LIVEKIT_URL, ' +
  'LIVEKIT_API_KEY and LIVEKIT_API_SECRET that it was given?';

export class Accounts {
  readonly #clock: Clock;
  /** The newest of each task, oldest first. */
  readonly #notes = new Map<TaskKey, string>();
  #strangers: { count: number; lastAtMs: number } = { count: 0, lastAtMs: 0 };

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `what` reads on after "its agent was not in the room: ". */
  note(key: TaskKey, what: string): void {
    this.#notes.delete(key);
    this.#notes.set(key, what);
    for (const oldest of this.#notes.keys()) {
      if (this.#notes.size <= NOTES_MAX) return;
      this.#notes.delete(oldest);
    }
  }

  /** A dial with a key that is no task's: it may be anybody's, and an image's own key too. */
  noteStranger(): void {
    this.#strangers = { count: this.#strangers.count + 1, lastAtMs: this.#clock.nowMs() };
  }

  /** Of a task without a registered worker. */
  of(key: TaskKey): string {
    const note = this.#notes.get(key);
    if (note !== undefined) return note;
    const { count, lastAtMs } = this.#strangers;
    if (count === 0) return NEVER_DIALLED;
    const agoSeconds = Math.round((this.#clock.nowMs() - lastAtMs) / 1_000);
    const dials = `dials with keys of no task that were refused: ${count}, the last ${agoSeconds} s ago`;
    return `${NEVER_DIALLED} (${dials})`;
  }
}
