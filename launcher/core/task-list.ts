/**
 * The engine's newest list of tasks as it is believed. A list that lags may leave out a live task that
 * an earlier one showed: it stays until a list that began `listLagMs` after the last one that showed it
 * leaves it out too.
 */
import type { ObservedTask, TaskKey } from '../driver.ts';
import type { KeyedTask } from './action.ts';

export interface TaskList {
  /** Those without a readable key too. */
  readonly all: readonly ObservedTask[];
  readonly byKey: ReadonlyMap<TaskKey, KeyedTask>;
  /** When the newest list that showed each began. */
  readonly listedAtMs: ReadonlyMap<TaskKey, number>;
}

/** Before the first list. */
export const NO_LIST: TaskList = { all: [], byKey: new Map(), listedAtMs: new Map() };

/** Takes in a list begun then; `vanished` are live tasks that it proves to have ended. */
export function believed(
  before: TaskList,
  listed: readonly ObservedTask[],
  begunAtMs: number,
  listLagMs: number,
): { readonly list: TaskList; readonly vanished: readonly TaskKey[] } {
  const shown = new Set(listed.map(({ key }) => key));
  const seenAtMs = (key: TaskKey) => before.listedAtMs.get(key) ?? begunAtMs;
  const leftOut = [...before.byKey.values()].filter(
    ({ key, phase }) => phase !== 'ended' && !shown.has(key),
  );
  const isDoubtful = ({ key }: KeyedTask) => begunAtMs < seenAtMs(key) + listLagMs;
  const doubtful = leftOut.filter(isDoubtful);
  const keyed = [...listed.filter(hasKey), ...doubtful];
  const list = {
    all: [...listed, ...doubtful],
    byKey: new Map(keyed.map((task) => [task.key, task])),
    listedAtMs: new Map(keyed.map(({ key }) => [key, shown.has(key) ? begunAtMs : seenAtMs(key)])),
  };
  const vanished = leftOut.filter((task) => !isDoubtful(task)).map(({ key }) => key);
  return { list, vanished };
}

/** Keys of tasks that came, went, or are in another phase. */
export function changedKeys(before: TaskList, after: TaskList): TaskKey[] {
  const keys = new Set([...before.byKey.keys(), ...after.byKey.keys()]);
  return [...keys].filter((key) => before.byKey.get(key)?.phase !== after.byKey.get(key)?.phase);
}

function hasKey(task: ObservedTask): task is KeyedTask {
  return task.key !== null;
}
