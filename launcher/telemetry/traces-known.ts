/**
 * What the traces remember of tasks and rooms beside the steps of a task's way (`start-ups.ts`):
 * what only its launch told, and which attempts a room had.
 */
import type { Fields } from '../lib/log.ts';
import { putNewest } from '../lib/newest.ts';

/** The oldest go first, and their spans lose a detail. */
const TASKS_MAX = 5_000;
const ROOMS_MAX = 5_000;
const ATTEMPTS_MAX = 20;

export interface Launched {
  readonly attempt: Fields[string];
  readonly profile: Fields[string];
  /** The first launch of this key was sent. */
  readonly sentAtMs: number;
  /** Why the engine has not promised the task; null: it has. */
  refused: Refusal | null;
}

export interface Refusal {
  readonly type: string;
  readonly detail: string;
}

export class KnownTasks {
  readonly #launched = new Map<string, Launched>();
  /** Each room's tasks, in the order in which they were seen. */
  readonly #ofRoom = new Map<string, string[]>();

  launched(task: string): Launched | undefined {
    return this.#launched.get(task);
  }

  /** Notes the newest answer to the launch of a task. */
  noteLaunch(task: string, launch: Launched): Launched {
    const known = this.#launched.get(task) ?? launch;
    known.refused = launch.refused;
    putNewest(this.#launched, task, known, TASKS_MAX);
    return known;
  }

  /** The task serves this room, or is to. */
  noteRoom(task: string, sid: string): void {
    const tasks = this.#ofRoom.get(sid) ?? [];
    if (!tasks.includes(task))
      putNewest(this.#ofRoom, sid, [...tasks, task].slice(-ATTEMPTS_MAX), ROOMS_MAX);
  }

  forget(task: string): void {
    this.#launched.delete(task);
  }

  /** The room's task before this one; undefined: none was seen. */
  before(task: string, sid: string): string | undefined {
    const tasks = this.#ofRoom.get(sid) ?? [];
    return tasks[tasks.indexOf(task) - 1];
  }

  /** Those of the room's tasks that the engine has not promised, this one apart. */
  refused(sid: string, apart?: string): readonly (readonly [string, Launched, Refusal])[] {
    return (this.#ofRoom.get(sid) ?? []).flatMap((task) => {
      const known = this.#launched.get(task);
      return known?.refused && task !== apart ? [[task, known, known.refused] as const] : [];
    });
  }
}
