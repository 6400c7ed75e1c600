/**
 * `usage` of the process engine, on Linux: a task is the process group that its main process leads.
 * One look over /proc serves all tasks; see proc(5) for the fields.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskId, TaskUsage } from '../../driver.ts';
import { keyOfId, lookAt } from './calls.ts';
import { FILES, parseStarted } from './records.ts';

/** Linux shows times in these to every program, whatever its kernel counts in. */
const TICKS_PER_SECOND = 100;
/** Tasks or processes looked at at once: bounds the open files. */
const READS_AT_ONCE_MAX = 16;

/** The contract's `usage`. */
export async function usage(
  root: string,
  taskIds: readonly TaskId[],
  signal: AbortSignal,
): Promise<readonly TaskUsage[]> {
  const tasks = await inTurns(taskIds, signal, (taskId) => groupOf(root, taskId));
  const byGroup = new Map<number, { taskId: TaskId; cpuSeconds: number; memoryBytes: number }>();
  for (const [i, group] of tasks.entries()) {
    const taskId = taskIds[i];
    if (group !== null && taskId !== undefined) {
      byGroup.set(group, { taskId, cpuSeconds: 0, memoryBytes: 0 });
    }
  }
  if (byGroup.size === 0) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  await inTurns(pids, signal, async (pid) => {
    const { group, cpuSeconds } = parseStat(await read(`/proc/${pid}/stat`));
    const used = byGroup.get(group);
    if (used === undefined) return;
    const memoryBytes = residentBytes(await read(`/proc/${pid}/status`));
    // Read before it is added to: others of the group are read meanwhile.
    used.cpuSeconds += cpuSeconds;
    used.memoryBytes += memoryBytes;
  });
  return [...byGroup.values()].filter(({ memoryBytes }) => memoryBytes > 0);
}

/** The process group of a task that runs; null for any other. */
async function groupOf(root: string, taskId: TaskId): Promise<number | null> {
  const key = keyOfId(taskId);
  const seen = key === null ? null : await lookAt(root, key);
  if (key === null || seen?.task.taskId !== taskId) return null;
  if (seen.task.phase !== 'running' && seen.task.phase !== 'stopping') return null;
  return parseStarted(await read(join(root, key, FILES.started)))?.pid ?? null;
}

/** Of a process and of those children that it has seen the end of. */
export function parseStat(text: string): { group: number; cpuSeconds: number } {
  // The command's name stands in parentheses and may hold anything, even spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + (Number(field) || 0), 0);
  return { group: Number(fields[2] ?? -1), cpuSeconds: ticks / TICKS_PER_SECOND };
}

export function residentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Empty for a file that is gone, as its process or task is then. */
function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '');
}

async function inTurns<T, R>(
  all: readonly T[],
  signal: AbortSignal,
  look: (each: T) => Promise<R>,
): Promise<R[]> {
  const found: R[] = [];
  for (let next = 0; next < all.length; next += READS_AT_ONCE_MAX) {
    signal.throwIfAborted();
    found.push(...(await Promise.all(all.slice(next, next + READS_AT_ONCE_MAX).map(look))));
  }
  return found;
}
