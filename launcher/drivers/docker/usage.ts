/**
 * `usage` of the Docker engine: its counters of each container, one look each.
 *
 * The engine also counts the page cache as a container's memory. What the system would take back at
 * once is left out, as the engine's own client does; cgroup version 1 calls it by another name.
 */
import { setMaxListeners } from 'node:events';
import type { TaskId, TaskUsage } from '../../driver.ts';
import { type Engine, isContainerId } from './calls.ts';

/** Looks at once: a look costs the engine some milliseconds, and launches come first. */
const LOOKS_AT_ONCE_MAX = 8;

/** What is read of the engine's answer; a container that does not run has none of the counters. */
export interface Stats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: { readonly inactive_file?: number; readonly total_inactive_file?: number };
  };
}

/** The contract's `usage`. */
export async function usage(
  engine: Engine,
  deployment: string,
  taskIds: readonly TaskId[],
  signal: AbortSignal,
): Promise<readonly TaskUsage[]> {
  const running = new Set(await engine.runningIds(deployment, signal));
  const ids = taskIds.filter((id) => isContainerId(id) && running.has(id));
  // Each request listens to it, which Node would take for a leak.
  const each = AbortSignal.any([signal]);
  setMaxListeners(2 * LOOKS_AT_ONCE_MAX, each);
  const found: TaskUsage[] = [];
  for (let next = 0; next < ids.length; next += LOOKS_AT_ONCE_MAX) {
    const some = ids.slice(next, next + LOOKS_AT_ONCE_MAX);
    const looks = some.map(async (id) => usageOf(id, await engine.stats(id, each)));
    for (const used of await Promise.all(looks)) if (used !== null) found.push(used);
  }
  return found;
}

/** Null without counters: it has ended meanwhile. */
export function usageOf(taskId: TaskId, stats: Stats | null): TaskUsage | null {
  const held = stats?.memory_stats?.usage;
  const usedNs = stats?.cpu_stats?.cpu_usage?.total_usage;
  if (held === undefined || usedNs === undefined) return null;
  const { inactive_file: v2, total_inactive_file: v1 } = stats?.memory_stats?.stats ?? {};
  const cache = v1 ?? v2 ?? 0;
  return { taskId, cpuSeconds: usedNs / 1e9, memoryBytes: Math.max(held - cache, 0) };
}
