/** What is read of ECS's tasks. */
import type { Container, Task } from '@aws-sdk/client-ecs';
import { expect, it, test } from 'vitest';
import { isOfDeployment, taskOf } from '../../../launcher/drivers/ecs/convert.ts';

const ARN = 'arn:aws:ecs:eu-central-1:111122223333:task/rooms/0123456789abcdef';
const at = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1_000);

function seen(task: Partial<Task> = {}, agent?: Container): Task {
  return {
    taskArn: ARN,
    taskDefinitionArn: 'arn:aws:ecs:eu-central-1:111122223333:task-definition/agent:3',
    startedBy: 'prod/r-RM_a-1',
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    createdAt: at(0),
    startedAt: at(20),
    containers: [
      { name: 'aws-guardduty-agent-1a', exitCode: 9, reason: 'theirs' },
      { name: 'agent', ...agent },
    ],
    ...task,
  };
}

const STOPPED: Partial<Task> = {
  lastStatus: 'STOPPED',
  desiredStatus: 'STOPPED',
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
  executionStoppedAt: at(100),
  stoppedAt: at(115),
};

it('reads a running task', () => {
  expect(taskOf(seen(), 'prod')).toEqual({
    taskId: ARN,
    key: 'r-RM_a-1',
    phase: 'running',
    template: 'agent:3',
    runner: null,
    createdAtMs: at(0).getTime(),
    startedAtMs: at(20).getTime(),
  });
});

test.each([
  ['PROVISIONING', 'RUNNING', 'starting'],
  ['PENDING', 'RUNNING', 'starting'],
  ['ACTIVATING', 'RUNNING', 'starting'],
  ['PENDING', 'STOPPED', 'stopping'],
  ['RUNNING', 'RUNNING', 'running'],
  ['RUNNING', 'STOPPED', 'stopping'],
  ['DEACTIVATING', 'STOPPED', 'stopping'],
  ['STOPPING', 'STOPPED', 'stopping'],
  ['DEPROVISIONING', 'STOPPED', 'stopping'],
  ['STOPPED', 'STOPPED', 'ended'],
  ['DELETED', 'STOPPED', 'ended'],
  ['HIBERNATING', 'RUNNING', 'running'],
  ['HIBERNATING', 'STOPPED', 'running'],
])('%s, wanted %s, is %s', (lastStatus, desiredStatus, phase) => {
  expect(taskOf(seen({ lastStatus, desiredStatus }), 'prod').phase).toBe(phase);
});

it('ends with our container, and says the same once ECS has cleared up', () => {
  const agent = { lastStatus: 'STOPPED', exitCode: 1 };
  const { stoppedAt: _, ...before } = { ...STOPPED, lastStatus: 'DEPROVISIONING' };
  const early = taskOf(seen(before, agent), 'prod');
  expect(early).toMatchObject({ phase: 'ended', endedAtMs: at(100).getTime() });
  expect(early).toEqual(taskOf(seen(STOPPED, agent), 'prod'));
});

it('does not end with a container that ECS would restart in its place', () => {
  expect(taskOf(seen({}, { exitCode: 1 }), 'prod').phase).toBe('running');
});

test.each<[string, Partial<Task>, Container, object]>([
  ['an exit', {}, { exitCode: 75 }, { code: 75, oomKilled: false, detail: '' }],
  ['a good end', {}, { exitCode: 0 }, { code: 0, oomKilled: false, detail: '' }],
  [
    'want of memory',
    {},
    { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
    {
      code: 137,
      oomKilled: true,
      detail: 'OutOfMemoryError: Container killed due to memory usage',
    },
  ],
  [
    'a stop of ours, with its reason',
    { stopCode: 'UserInitiated', stoppedReason: 'the room\n is gone' },
    { exitCode: 143 },
    {
      code: 143,
      oomKilled: false,
      detail: 'UserInitiated: the room is gone',
      stopReason: 'the room\n is gone',
    },
  ],
  [
    'a failed start',
    { stopCode: 'TaskFailedToStart', stoppedReason: 'CannotPullContainerError: no such image' },
    { reason: 'CannotPullContainerError: no such image' },
    {
      code: null,
      oomKilled: false,
      detail: 'TaskFailedToStart: CannotPullContainerError: no such image',
    },
  ],
  [
    'a Spot interruption',
    { stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.' },
    { exitCode: 143 },
    { code: 143, oomKilled: false, detail: 'SpotInterruption: Your Spot Task was interrupted.' },
  ],
  [
    'a lost host',
    { stopCode: 'TerminationNotice', stoppedReason: 'Host EC2 (instance i-0) terminated.' },
    {},
    {
      code: null,
      oomKilled: false,
      detail: 'TerminationNotice: Host EC2 (instance i-0) terminated.',
    },
  ],
])('reads %s', (_title, task, agent, exit) => {
  expect(taskOf(seen({ ...STOPPED, ...task }, agent), 'prod').exit).toEqual(exit);
});

it('reads a task without any container and without times', () => {
  const { containers: _, startedAt: __, ...bare } = seen({ lastStatus: 'STOPPED' });
  expect(taskOf(bare, 'prod')).toMatchObject({
    phase: 'ended',
    endedAtMs: at(0).getTime(),
    exit: { code: null },
  });
});

test.each([
  ['prod/r-RM_a-1', true, 'r-RM_a-1'],
  ['prod/s-gold-0-12345678', true, 's-gold-0-12345678'],
  ['prod/anything', true, null],
  ['prod/', true, null],
  ['prod-2/r-RM_a-1', false, null],
  ['ecs-svc/1234', false, null],
  [undefined, false, null],
])('startedBy %s is ours: %s, key %s', (startedBy, ours, key) => {
  const { startedBy: _, ...rest } = seen();
  const task = startedBy === undefined ? rest : { ...rest, startedBy };
  expect(isOfDeployment(task, 'prod')).toBe(ours);
  if (ours) expect(taskOf(task, 'prod').key).toBe(key);
});
