/** What serves one room, or waits for one: a process with those that it has started. */
import { containerCpuSeconds, cpuSeconds, descendants, isGone, pssMiB } from './processes.mjs';
import { until } from './wait.mjs';

/**
 * @param {number} pid of the process whose end is the unit's
 * @param {{ inContainer?: boolean, root?: number }} [more] `root`: what has started it, where that
 *   is a part of the unit too
 */
export function unit(pid, { inContainer = false, root = pid } = {}) {
  const pids = () => [root, ...descendants(root)];
  return {
    pid,
    pids,
    pssMiB: () => pssMiB(pids()),
    /** Since its start; null once it is gone. */
    cpuSeconds: () =>
      inContainer
        ? containerCpuSeconds(pid)
        : pids().reduce((sum, one) => sum + (cpuSeconds(one) ?? 0), 0),
    gone: () => until(`the end of process ${pid}`, () => isGone(pid)),
  };
}
