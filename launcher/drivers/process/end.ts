/** `stop` and `remove` of the process engine: how a task ends, and what is kept of it goes. */
import { writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { DriverError, type StopOptions, type StopResult, type TaskId } from '../../driver.ts';
import { keyOfId, lookAt, sendSignal, takeAway } from './calls.ts';
import type { Reach } from './convert.ts';
import { CHANGED_FILE, createRecord, FILES, graceAsked, writeRecord } from './records.ts';

/** Longest time between SIGTERM and SIGKILL. */
export const GRACE_MAX_MS = 24 * 3_600_000;

/** Looks at a task whose supervisor comes or goes while it is being stopped. */
const STOP_LOOKS_MAX = 3;

/** The contract's `stop`. */
export async function stop(
  root: string,
  taskId: TaskId,
  options: StopOptions,
): Promise<StopResult> {
  const key = keyOfId(taskId);
  if (key === null) return 'nothing-to-stop';
  for (let look = 0; look < STOP_LOOKS_MAX; look += 1) {
    const seen = await lookAt(root, key);
    if (seen?.task.taskId !== taskId || seen.task.phase === 'ended') return 'nothing-to-stop';
    if (askToEnd(root, join(root, key), seen.reach, options)) return 'accepted';
  }
  throw new DriverError('unavailable', 'the task changes hands; ask again');
}

/** False when the task changed hands since it was seen. */
function askToEnd(root: string, folder: string, reach: Reach, options: StopOptions): boolean {
  const graceMs = Math.max(0, Math.min(options.graceMs, GRACE_MAX_MS));
  if (reach.by === 'supervisor') {
    const shortest = Math.min(graceMs, graceAsked(folder) ?? Infinity);
    writeRecord(folder, FILES.stop, { graceMs: shortest, reason: options.reason });
    return sendSignal(reach.pid, 'SIGTERM');
  }
  if (reach.by === 'group') return sendSignal(-reach.pid, 'SIGKILL');
  if (reach.by === 'none') {
    throw new DriverError('invalid', 'its state cannot be read by this version');
  }
  const endedWith = 128 + constants.signals[graceMs === 0 ? 'SIGKILL' : 'SIGTERM'];
  const claimed = createRecord(folder, FILES.claim, { endedWith });
  writeFileSync(join(root, CHANGED_FILE), '', { mode: 0o600 });
  return claimed;
}

/** The contract's `remove`. */
export async function remove(root: string, taskId: TaskId): Promise<void> {
  const key = keyOfId(taskId);
  if (key === null) return;
  const seen = await lookAt(root, key);
  if (seen?.task.taskId !== taskId) return;
  if (seen.task.phase !== 'ended') throw new DriverError('conflict', `${taskId} is live`);
  await takeAway(root, key, taskId);
}
