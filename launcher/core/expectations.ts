/**
 * Accepted launches that the engine's list does not show yet: a bounded overlay over the list, never
 * a second truth. Without it a lagging list would read as "no task" and the room would get two.
 */
import type { ObservedTask, TaskKey } from '../driver.ts';
import type { KeyedTask } from './action.ts';
import { parseRoomKey } from './key.ts';
import type { RoomSid } from './room.ts';

interface Expected {
  readonly task: ObservedTask;
  readonly acceptedAtMs: number;
}

export class Expectations {
  readonly #accepted = new Map<TaskKey, Expected>();
  readonly #inFlight = new Set<TaskKey>();
  readonly #unknown = new Set<TaskKey>();

  /** A launch was sent; its answer is not in. */
  sent(key: TaskKey): void {
    this.#inFlight.add(key);
  }

  accepted(task: ObservedTask, key: TaskKey, nowMs: number): void {
    this.#forgetCall(key);
    this.#accepted.set(key, { task, acceptedAtMs: nowMs });
  }

  /** `looked`: the engine would have said so, had an earlier call brought a task. */
  refused(key: TaskKey, looked: boolean): void {
    this.#inFlight.delete(key);
    if (looked) this.#unknown.delete(key);
  }

  /** Is the answer to a launch of this key lost? */
  isUnknown(key: TaskKey): boolean {
    return this.#unknown.has(key);
  }

  /** The answer was lost: the task may exist. */
  unknown(key: TaskKey): void {
    this.#inFlight.delete(key);
    this.#unknown.add(key);
  }

  /** May a task with this key be alive although no list shows it? */
  awaits(key: TaskKey): boolean {
    return this.#accepted.has(key) || this.#inFlight.has(key) || this.#unknown.has(key);
  }

  /**
   * Takes in a list begun at `begunAtMs`: what it shows needs no overlay any more, and what it does
   * not show although it began later than `listLagMs` after acceptance has ended.
   * Returns the keys of the latter.
   */
  settle(tasks: readonly ObservedTask[], begunAtMs: number, listLagMs: number): TaskKey[] {
    for (const { key } of tasks) {
      if (key === null) continue;
      this.#accepted.delete(key);
      this.#unknown.delete(key);
    }
    const lost: TaskKey[] = [];
    for (const [key, { acceptedAtMs }] of this.#accepted) {
      if (begunAtMs > acceptedAtMs + listLagMs) lost.push(key);
    }
    for (const key of lost) this.#accepted.delete(key);
    return lost;
  }

  /** Forgets launches without an answer of a room that is over. */
  forget(sid: RoomSid): void {
    for (const key of this.#unknown) if (parseRoomKey(key)?.sid === sid) this.#unknown.delete(key);
  }

  /** The task of this key, if it is promised and was not listed since. */
  get(key: TaskKey): KeyedTask | null {
    const expected = this.#accepted.get(key);
    return expected ? { ...expected.task, key } : null;
  }

  /** The keys of all tasks that are promised and were not listed since. */
  keys(): Iterable<TaskKey> {
    return this.#accepted.keys();
  }

  #forgetCall(key: TaskKey): void {
    this.#inFlight.delete(key);
    this.#unknown.delete(key);
  }
}
