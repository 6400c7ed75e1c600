/**
 * What a doctor looks at: cluster, task definition, permissions.
 *
 * API_DescribeClusters.html and API_DescribeTaskDefinition.html. That an unknown task definition is a
 * ClientException with these words is known from callers' reports. IAM actions and their resources:
 * "Actions, resources, and condition keys for Amazon ECS" of the service authorization reference.
 */
import {
  DescribeClustersCommand,
  DescribeTaskDefinitionCommand,
  RunTaskCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { bed, CLUSTER, definition, FAMILY, request } from './bed.ts';

describe('DescribeClusters', () => {
  it('shows a cluster and says what is missing', async () => {
    const { client } = bed();
    const input = { clusters: [CLUSTER, 'none'] };
    const { clusters, failures } = await client.send(new DescribeClustersCommand(input));
    expect(clusters).toMatchObject([
      { clusterName: CLUSTER, status: 'ACTIVE', capacityProviders: ['FARGATE', 'FARGATE_SPOT'] },
    ]);
    expect(failures).toEqual([
      { arn: 'arn:aws:ecs:us-east-1:111122223333:cluster/none', reason: 'MISSING' },
    ]);
  });
});

describe('DescribeTaskDefinition', () => {
  it('shows the latest revision of a family, or the one that is named', async () => {
    const { client, fake } = bed();
    fake.register(definition(60));
    const see = async (taskDefinition: string) =>
      (await client.send(new DescribeTaskDefinitionCommand({ taskDefinition }))).taskDefinition!;
    const latest = await see(FAMILY);
    expect(latest).toMatchObject({ revision: 2, containerDefinitions: [{ stopTimeout: 60 }] });
    expect((await see(`${FAMILY}:1`)).revision).toBe(1);
    expect(await see(latest.taskDefinitionArn!)).toEqual(latest);
    await expect(see('none')).rejects.toMatchObject({ name: 'ClientException' });
  });
});

describe('permissions', () => {
  const account = '111122223333';
  it.each([
    ['ecs:RunTask', `arn:aws:ecs:us-east-1:${account}:task-definition/${FAMILY}:1`],
    ['ecs:TagResource', `arn:aws:ecs:us-east-1:${account}:task/${CLUSTER}/*`],
    ['iam:PassRole', `arn:aws:iam::${account}:role/agent`],
  ])('that are wanting are named, with their resource: %s', async (action, resource) => {
    const { client, fake } = bed();
    fake.account.permissions.denied.add(action);
    const command = new RunTaskCommand(request({ tags: [{ key: 'a', value: 'b' }] }));
    await expect(client.send(command)).rejects.toMatchObject({
      name: 'AccessDeniedException',
      $metadata: { httpStatusCode: 400 },
      message:
        `User: arn:aws:sts::${account}:assumed-role/room-launcher/session is not authorized to ` +
        `perform: ${action} on resource: ${resource} because no identity-based policy allows the ` +
        `${action} action`,
    });
    expect(fake.tasks()).toEqual([]);
  });

  it('are each action’s own', async () => {
    const { fake, list, see, start, stop } = bed();
    const taskArn = await start();
    fake.account.permissions.denied.add('ecs:ListTasks').add('ecs:StopTask');
    await expect(list()).rejects.toThrow('ecs:ListTasks on resource: *');
    await expect(stop(taskArn)).rejects.toThrow(`ecs:StopTask on resource: ${taskArn}`);
    expect((await see(taskArn)).lastStatus).toBe('PROVISIONING');
  });
});
