/** Hints of changes, for `watch`. */
import { type FSWatcher, watch } from 'node:fs';
import { type Log, reasonOf } from '../../lib/log.ts';
import { CHANGED_FILE } from './records.ts';

/** Hints come from the file that supervisors touch; a watch that fails is said once. */
export function watchChanges(
  root: string,
  ready: () => Promise<void>,
  nudge: () => void,
  log: Log | undefined,
): AsyncDisposable {
  let watcher: FSWatcher | undefined;
  let disposed = false;
  const fail = (error: unknown) =>
    log?.warn('no hints of changed tasks: they are seen at the next pass', {
      reason: reasonOf(error),
    });
  const begin = async () => {
    await ready();
    if (disposed) return;
    watcher = watch(root, (_event, name) => {
      if (name === CHANGED_FILE && !disposed) nudge();
    });
    watcher.on('error', fail);
  };
  const begun = begin().catch(fail);
  return {
    async [Symbol.asyncDispose]() {
      disposed = true;
      await begun;
      watcher?.close();
    },
  };
}
