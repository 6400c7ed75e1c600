/** How much of the server API one task, and all of them, may use at a time. */
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';

/** Calls of one task that are under way. */
export const CALLS_PER_TASK = 8;
/** Calls that one task may begin within a second. */
export const CALLS_PER_TASK_PER_SECOND = 50;
/** Calls of all tasks that are under way; each may hold a body in memory. */
export const CALLS_IN_ALL = 256;

export const LIMITS_IN_WORDS =
  `too many calls: a task may have ${CALLS_PER_TASK} under way and begin ` +
  `${CALLS_PER_TASK_PER_SECOND} per second; try again later`;

export class CallLimits {
  readonly #clock: Clock;
  readonly #underWay = new Map<TaskKey, number>();
  #inAll = 0;
  #second = 0;
  /** Calls by task that began in this second. */
  readonly #begun = new Map<TaskKey, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Lets a call begin and returns how to end it, or null when it is one too many. */
  begin(key: TaskKey): (() => void) | null {
    this.#turnSecond();
    const underWay = this.#underWay.get(key) ?? 0;
    const begun = this.#begun.get(key) ?? 0;
    if (this.#inAll >= CALLS_IN_ALL || underWay >= CALLS_PER_TASK) return null;
    if (begun >= CALLS_PER_TASK_PER_SECOND) return null;
    this.#inAll++;
    this.#underWay.set(key, underWay + 1);
    this.#begun.set(key, begun + 1);
    return () => this.#end(key);
  }

  #end(key: TaskKey): void {
    this.#inAll--;
    const left = (this.#underWay.get(key) ?? 0) - 1;
    if (left > 0) this.#underWay.set(key, left);
    else this.#underWay.delete(key);
  }

  #turnSecond(): void {
    const second = Math.floor(this.#clock.nowMs() / 1_000);
    if (second !== this.#second) this.#begun.clear();
    this.#second = second;
  }
}
