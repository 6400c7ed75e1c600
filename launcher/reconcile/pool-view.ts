/** What a pass over the warm pool sees: the standbys that no room has, each with its listed task. */
import type { KeyedTask } from '../core/action.ts';
import type { Profiles } from '../core/desired.ts';
import type { Memory } from '../core/memory.ts';
import type { PoolView } from '../core/plan-pool.ts';
import type { TaskKey } from '../driver.ts';
import { profileOfStandby } from './launches.ts';
import type { Observer } from './observe.ts';
import { asProfileSays } from './profiles.ts';

export interface PoolSight {
  readonly memory: Memory;
  readonly observer: Observer;
  readonly profiles: Profiles;
}

/** `begun`: the pass's turn, which a list has to be younger than for ends to rest on it. */
export function poolView(sight: PoolSight, begun: number): PoolView {
  const { memory, observer, profiles } = sight;
  const idle = [...memory.standbys.idle.values()];
  return {
    profiles: profiles.list,
    unmatched: profiles.unmatched,
    standbys: idle.map((known) => ({ known, task: standbyTask(known.key, sight) })),
    tasksFresh: observer.tasksBegun > begun,
  };
}

/** Null: neither listed nor expected. */
export function standbyTask(
  key: TaskKey,
  { observer, profiles }: Pick<PoolSight, 'observer' | 'profiles'>,
): KeyedTask | null {
  const task = observer.task(key);
  return task && asProfileSays(task, profileOfStandby(key, profiles.list));
}
