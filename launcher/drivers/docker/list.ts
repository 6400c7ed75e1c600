/**
 * `list` of the Docker engine. Its own list says which containers there are; in which state one is,
 * when it started and how it ended only a look at it tells. Of one that has ended, what was seen holds
 * for as long as the list shows it so. One that lives is looked at each time: the engine's list shows
 * it as running for a while after the event that says that it has ended.
 */
import { setMaxListeners } from 'node:events';
import type { ObservedTask } from '../../driver.ts';
import type { Engine, Row } from './calls.ts';
import { type Inspection, isOfDeployment, taskOf } from './convert.ts';

/** Containers inspected at once for one list. */
const INSPECTS_AT_ONCE_MAX = 16;
const ENDED = 'exited';

type Looks = Pick<Engine, 'rows' | 'inspect'>;

interface Known {
  readonly as: string;
  /** Null: the name is like ours, and it is not. */
  readonly task: ObservedTask | null;
}

export class Lister {
  readonly #deployment: string;
  readonly #isStopping: (id: string) => boolean;
  /** Of the newest list, those that have ended. */
  #known: ReadonlyMap<string, Known> = new Map();

  constructor(deployment: string, isStopping: (id: string) => boolean) {
    this.#deployment = deployment;
    this.#isStopping = isStopping;
  }

  /** All containers that bear our label; one that goes meanwhile is left out. */
  async list(engine: Looks, signal: AbortSignal): Promise<readonly ObservedTask[]> {
    const rows = await engine.rows(this.#deployment, signal);
    const before = this.#known;
    const known = new Map<string, Known>();
    const unseen: Row[] = [];
    for (const row of rows) {
      const found = before.get(row.id);
      if (found?.as === conditionOf(row)) known.set(row.id, found);
      else unseen.push(row);
    }
    const looked = await this.#look(engine, unseen, signal);
    const tasks = new Map<string, ObservedTask>();
    for (const row of unseen) {
      const seen = looked.get(row.id);
      if (!seen) continue;
      const task = this.#taskOf(seen);
      if (task) tasks.set(row.id, task);
      const isSettled = row.state === ENDED && seen.State.Status === ENDED;
      if (isSettled) known.set(row.id, { as: conditionOf(row), task });
    }
    this.#known = known;
    return rows.flatMap(({ id }) => known.get(id)?.task ?? tasks.get(id) ?? []);
  }

  #taskOf(seen: Inspection): ObservedTask | null {
    if (!isOfDeployment(seen, this.#deployment)) return null;
    return taskOf(seen, this.#deployment, this.#isStopping(seen.Id));
  }

  async #look(
    engine: Looks,
    rows: readonly Row[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Inspection>> {
    // Each request listens to it, which Node would take for a leak.
    const each = AbortSignal.any([signal]);
    setMaxListeners(2 * INSPECTS_AT_ONCE_MAX, each);
    const looked = new Map<string, Inspection>();
    for (let next = 0; next < rows.length; next += INSPECTS_AT_ONCE_MAX) {
      const some = rows.slice(next, next + INSPECTS_AT_ONCE_MAX);
      for (const seen of await Promise.all(some.map(({ id }) => engine.inspect(id, each)))) {
        if (seen !== null) looked.set(seen.Id, seen);
      }
    }
    return looked;
  }
}

/** Its name and its state, and the exit code with that: `Exited (137) 2 minutes ago`. */
function conditionOf({ names, state, status }: Row): string {
  return [...names, state, /\((\d+)\)/.exec(status)?.[1]].join(' ');
}
