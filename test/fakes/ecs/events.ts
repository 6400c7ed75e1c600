/**
 * "ECS Task State Change" events, as EventBridge delivers them
 * (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html).
 *
 * The detail resembles the Task of DescribeTasks, with ISO times and without tags. `detail.version`
 * rises with each change of the task; duplicates have the same one.
 */
import { createHash } from 'node:crypto';
import type { EcsAccount } from './account.ts';
import type { FakeTask } from './task.ts';

/** The body of the event for the change that made `version` of the task. */
export function taskEvent(account: EcsAccount, task: FakeTask, version: number): string {
  const { tags: _, ...detail } = task.view(version, false);
  const at = new Date(task.momentOf(version).atMs);
  return JSON.stringify({
    version: '0',
    id: uuid(`${task.arn} ${version}`),
    'detail-type': 'ECS Task State Change',
    source: 'aws.ecs',
    account: account.accountId,
    time: at.toISOString().replace(/\.\d+/, ''),
    region: account.region,
    resources: [task.arn],
    detail: { ...detail, updatedAt: at },
  });
}

function uuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
