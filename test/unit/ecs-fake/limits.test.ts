/** The limits of API_RunTask.html, API_StopTask.html, API_DescribeTasks.html, API_ListTasks.html. */
import {
  DescribeTasksCommand,
  ListTasksCommand,
  type ListTasksRequest,
  type RunTaskRequest,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { bed, CLUSTER, SUBNETS } from './bed.ts';

const subnets = (count: number) => Array.from({ length: count }, (_, n) => `subnet-${n}`);
const network = (awsvpc: object) => ({ awsvpcConfiguration: { subnets: SUBNETS, ...awsvpc } });
const tags = (count: number) => Array.from({ length: count }, (_, n) => ({ key: `k${n}` }));
const override = (name: string, value = '') => ({
  containerOverrides: [{ name, environment: [{ name: 'A', value }] }],
});
/** As long as overrides may be, and some characters more. */
const overrides = (more: number) => {
  const left = 8192 - JSON.stringify(override('agent')).length;
  return override('agent', 'x'.repeat(left + more));
};
const strategy = (...providers: string[]) => ({
  launchType: undefined,
  capacityProviderStrategy: providers.map((capacityProvider) => ({ capacityProvider, weight: 1 })),
});

const ALLOWED: Record<string, Partial<RunTaskRequest>> = {
  'ten tasks': { count: 10 },
  'startedBy of 128': { startedBy: 'a-/_9'.repeat(25) + 'abc' },
  'a token of 64': { clientToken: '!~'.repeat(32) },
  '50 tags': { tags: tags(50) },
  'overrides of 8192': { overrides: overrides(0) },
  '16 subnets': { networkConfiguration: network({ subnets: subnets(16) }) },
  '5 security groups': {
    networkConfiguration: network({ securityGroups: ['1', '2', '3', '4', '5'] }),
  },
  'a strategy': strategy('FARGATE', 'FARGATE_SPOT'),
};

const BROKEN: Record<string, Partial<RunTaskRequest>> = {
  'no task definition': { taskDefinition: '' },
  'eleven tasks': { count: 11 },
  'no task': { count: 0 },
  'startedBy of 129': { startedBy: 'a'.repeat(129) },
  'a dot in startedBy': { startedBy: 'default.r-RM_1-1' },
  'a token of 65': { clientToken: 'a'.repeat(65) },
  'a space in the token': { clientToken: 'a b' },
  'an umlaut in the token': { clientToken: 'ä' },
  '51 tags': { tags: tags(51) },
  'a tag twice': { tags: [{ key: 'a' }, { key: 'a' }] },
  'a tag key of 129': { tags: [{ key: 'a'.repeat(129) }] },
  'a tag of AWS': { tags: [{ key: 'AWS:x' }] },
  'a tag value of 257': { tags: [{ key: 'a', value: 'b'.repeat(257) }] },
  'an odd tag value': { tags: [{ key: 'a', value: 'a,b' }] },
  'overrides of 8193': { overrides: overrides(1) },
  'a container that is not there': { overrides: override('other') },
  'no network': { networkConfiguration: undefined },
  'no subnet': { networkConfiguration: network({ subnets: [] }) },
  '17 subnets': { networkConfiguration: network({ subnets: subnets(17) }) },
  '6 security groups': { networkConfiguration: network({ securityGroups: subnets(6) }) },
  'launch type and strategy': { ...strategy('FARGATE'), launchType: 'FARGATE' },
  'a provider of another cluster': strategy('mine'),
  'providers of both kinds': strategy('FARGATE', 'mine'),
  'only weights of 0': {
    launchType: undefined,
    capacityProviderStrategy: [
      { capacityProvider: 'FARGATE' },
      { capacityProvider: 'FARGATE_SPOT' },
    ],
  },
};

const INVALID = { name: 'InvalidParameterException', $metadata: { httpStatusCode: 400 } };

describe('the limits of RunTask', () => {
  it.each(Object.entries(ALLOWED))('allow %s', async (_, input) => {
    const { fake, run } = bed();
    expect((await run(input)).failures).toEqual([]);
    expect(fake.violations).toEqual([]);
  });

  it.each(Object.entries(BROKEN))('forbid %s', async (_, input) => {
    const { fake, run } = bed();
    await expect(run(input)).rejects.toMatchObject(INVALID);
    expect(fake.violations).toEqual([expect.stringMatching(/^RunTask: /)]);
    expect(fake.tasks()).toEqual([]);
  });

  it('forbid a network for a definition that has its own mode', async () => {
    const { fake, run } = bed();
    fake.register({ family: 'bridge', containerDefinitions: [{ name: 'agent' }] });
    await expect(run({ taskDefinition: 'bridge' })).rejects.toMatchObject(INVALID);
  });
});

/** What is missing is the set-up's fault, not a limit that the caller broke. */
describe('what RunTask needs', () => {
  it('is a cluster', async () => {
    const { fake, run } = bed();
    await expect(run({ cluster: 'none' })).rejects.toMatchObject({
      name: 'ClusterNotFoundException',
      message: 'Cluster not found.',
    });
    expect(fake.violations).toEqual([]);
  });

  it('is a task definition', async () => {
    const { fake, run } = bed();
    await expect(run({ taskDefinition: 'none:7' })).rejects.toMatchObject({
      name: 'ClientException',
      message: 'TaskDefinition not found.',
    });
    expect(fake.violations).toEqual([]);
  });
});

describe('the limits of ListTasks', () => {
  it.each<[string, ListTasksRequest]>([
    ['pages of 101', { maxResults: 101 }],
    ['pages of 0', { maxResults: 0 }],
    ['startedBy beside desiredStatus', { startedBy: 'a', desiredStatus: 'STOPPED' }],
    ['startedBy beside family', { startedBy: 'a', family: 'b' }],
    ['startedBy beside launchType', { startedBy: 'a', launchType: 'FARGATE' }],
  ])('forbid %s', async (_, input) => {
    const { fake, client } = bed();
    const command = new ListTasksCommand({ cluster: CLUSTER, ...input });
    await expect(client.send(command)).rejects.toMatchObject(INVALID);
    expect(fake.violations).toHaveLength(1);
  });
});

describe('the limits of DescribeTasks and StopTask', () => {
  it.each([0, 101])('forbid %i tasks', async (count) => {
    const { fake, client } = bed();
    const command = new DescribeTasksCommand({ cluster: CLUSTER, tasks: subnets(count) });
    await expect(client.send(command)).rejects.toMatchObject(INVALID);
    expect(fake.violations).toHaveLength(1);
  });

  /** 255: API_StopTask.html of earlier editions; the present one gives no number. */
  it('forbid a long reason', async () => {
    const { fake, start, stop } = bed();
    await expect(stop(await start(), 'x'.repeat(256))).rejects.toMatchObject(INVALID);
    expect(fake.violations).toHaveLength(1);
  });

  it('do not know a task of nobody', async () => {
    const { fake, client } = bed();
    const command = new StopTaskCommand({ cluster: CLUSTER, task: 'none' });
    await expect(client.send(command)).rejects.toMatchObject({
      ...INVALID,
      message: 'The referenced task was not found.',
    });
    expect(fake.violations).toEqual([]);
  });
});
