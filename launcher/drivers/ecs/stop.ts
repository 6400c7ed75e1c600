/**
 * `stop` on ECS: a look at the task, then StopTask. The grace is the task definition's own
 * (`stopTimeout`), so a repeat can neither hurry nor put off the end, and is not sent.
 */
import type { StopOptions, StopResult, TaskId } from '../../driver.ts';
import type { Ecs } from './calls.ts';
import { isOfDeployment, isStopping, taskOf } from './convert.ts';
import { isUnknownName } from './errors.ts';

/** A longer reason would be refused like an unknown task. */
const REASON_LENGTH_MAX = 255;

export async function stop(
  ecs: Ecs,
  deployment: string,
  taskId: TaskId,
  { reason }: StopOptions,
  signal: AbortSignal,
): Promise<StopResult> {
  if (!isTaskArn(taskId)) return 'nothing-to-stop';
  const seen = await ecs.describeOne(taskId);
  if (seen !== null) {
    if (!isOfDeployment(seen, deployment)) return 'nothing-to-stop';
    if (taskOf(seen, deployment).phase === 'ended') return 'nothing-to-stop';
    if (isStopping(seen)) return 'accepted';
  }
  // A task that is not shown may be a fresh one: StopTask knows.
  try {
    await ecs.stopTask(taskId, reason.slice(0, REASON_LENGTH_MAX), signal);
    return 'accepted';
  } catch (error) {
    if (isUnknownName(error)) return 'nothing-to-stop';
    throw error;
  }
}

/** Whether a text has the form of a task's id: other names are none. */
export function isTaskArn(id: TaskId): boolean {
  return /^arn:[\w-]+:ecs:[\w-]*:\d*:task\/[\w/-]+$/.test(id);
}
