/**
 * The assignments of all tasks, and how long they are remembered.
 *
 * A task with a registered socket has its assignment here. When the socket closes, an assignment
 * that still waits is forgotten: a new look says the same. An assigned or ended one is remembered
 * for the worker's return, until the host says that the task is gone, or until `REMEMBERED_MAX` tasks
 * left after it. Forgetting one too early costs a look: a worker in mid-job is recognised by its
 * participant in the room or by naming its job, an ended task by its room being gone.
 */
import type { TaskKey } from '../driver.ts';
import { Assignment } from './assignment.ts';
import type { AssignmentPorts } from './ports.ts';
import type { Worker } from './worker.ts';

/** Tasks without a socket that are remembered; some hundred bytes each. */
export const REMEMBERED_MAX = 10_000;

export class Assignments {
  readonly #ports: AssignmentPorts;
  readonly #live = new Map<TaskKey, Assignment>();
  /** In the order in which they lost their sockets. */
  readonly #remembered = new Map<TaskKey, Assignment>();

  constructor(ports: AssignmentPorts) {
    this.#ports = ports;
  }

  /** The task's assignment while its worker is registered. */
  get(key: TaskKey): Assignment | undefined {
    return this.#live.get(key);
  }

  connect(key: TaskKey, worker: Worker): void {
    const assignment = this.#recall(key);
    this.#remembered.delete(key);
    this.#live.set(key, assignment);
    assignment.connect(worker);
  }

  disconnect(key: TaskKey): void {
    const assignment = this.#live.get(key);
    if (assignment === undefined) return;
    this.#live.delete(key);
    assignment.disconnect();
    if (assignment.state !== 'waiting') this.#remember(key, assignment);
  }

  /** Ends a task's job, now and for a worker that comes back. False: nobody could be told. */
  end(key: TaskKey): boolean {
    const live = this.#live.get(key);
    const assignment = live ?? this.#recall(key);
    assignment.end();
    if (live === undefined) this.#remember(key, assignment);
    return live !== undefined;
  }

  /** The task will not be let in again. */
  forget(key: TaskKey): void {
    this.#remembered.delete(key);
  }

  #recall(key: TaskKey): Assignment {
    return this.#remembered.get(key) ?? new Assignment(key, this.#ports);
  }

  #remember(key: TaskKey, assignment: Assignment): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, assignment);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= REMEMBERED_MAX) return;
      this.#remembered.delete(oldest);
    }
  }
}
