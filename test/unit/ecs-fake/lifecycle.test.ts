/** A task's life, as "Amazon ECS task lifecycle" and the action pages of the API reference have it. */
import {
  DescribeTasksCommand,
  type ECSClient,
  ListTasksCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { bed, CLUSTER } from './bed.ts';

async function describeOne(client: ECSClient, taskArn: string) {
  const input = { cluster: CLUSTER, tasks: [taskArn], include: ['TAGS' as const] };
  const { tasks } = await client.send(new DescribeTasksCommand(input));
  return tasks![0]!;
}

describe('a task of the ECS fake', () => {
  it('runs, is listed, is stopped', async () => {
    const { clock, client, run } = bed();
    const { tasks } = await run();
    const { taskArn, lastStatus } = tasks![0]!;
    expect(lastStatus).toBe('PROVISIONING');
    await clock.advance(60_000);
    expect((await describeOne(client, taskArn!)).lastStatus).toBe('RUNNING');
    const listed = await client.send(new ListTasksCommand({ cluster: CLUSTER }));
    expect(listed.taskArns).toEqual([taskArn]);
    await client.send(new StopTaskCommand({ cluster: CLUSTER, task: taskArn, reason: 'enough' }));
    await clock.advance(60_000);
    expect(await describeOne(client, taskArn!)).toMatchObject({
      lastStatus: 'STOPPED',
      stopCode: 'UserInitiated',
      stoppedReason: 'enough',
      containers: [{ name: 'agent', exitCode: 143 }],
    });
  });
});
