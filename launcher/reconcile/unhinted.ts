/**
 * In place of an engine's hints, where it gives none: while a task is on its way up or down, its
 * engine is listed often, because the next full look may be half a minute away.
 */
import { LOOK_AGAIN_MS } from '../core/action.ts';
import type { ObservedTask } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';

/** Nudges every `LOOK_AGAIN_MS` while some task changes by itself, until it is disposed of. */
export function watchUnhinted(
  tasks: () => readonly ObservedTask[],
  nudge: () => void,
  clock: Clock,
): AsyncDisposable {
  let cancel: () => void;
  const look = () => {
    if (tasks().some(isOnItsWay)) nudge();
    cancel = clock.timer(LOOK_AGAIN_MS, look);
  };
  cancel = clock.timer(LOOK_AGAIN_MS, look);
  return {
    async [Symbol.asyncDispose]() {
      cancel();
    },
  };
}

function isOnItsWay({ phase }: ObservedTask): boolean {
  return phase === 'starting' || phase === 'stopping';
}
