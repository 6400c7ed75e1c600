/** What is said of a cluster and task definitions before a room has to wait for them. */
import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { beforeAll, expect, it, test } from 'vitest';
import { definitionFaults, examineEcs } from '../../../launcher/drivers/ecs/examine.ts';
import { failing, serverError, unknownAccessKey } from '../../fakes/ecs/index.ts';
import { type EcsBed, ecsBed, NETWORK, TEMPLATE, warmUp } from '../../support/ecs-bed.ts';

const CALM = new AbortController().signal;

beforeAll(warmUp);
const FARGATE = { compatibilities: ['EC2', 'FARGATE'] as const };

function good(agent: Partial<ContainerDefinition> = {}) {
  return {
    status: 'ACTIVE' as const,
    networkMode: 'awsvpc' as const,
    compatibilities: [...FARGATE.compatibilities],
    containerDefinitions: [{ name: 'sidecar' }, { name: 'agent', ...agent }],
  };
}

async function examined(bed: EcsBed, { templates = [TEMPLATE], network = NETWORK } = {}) {
  return examineEcs({ ...bed.options, network }, new Set(templates), CALM);
}

it('finds nothing where all is well, and neither launches nor stops', async () => {
  const bed = ecsBed();
  expect(definitionFaults(TEMPLATE, good(), NETWORK)).toEqual([]);
  const network = { ...NETWORK, capacityProviders: ['FARGATE_SPOT', 'FARGATE'] };
  expect(await examined(bed, { network })).toEqual([]);
  const actions = new Set(bed.fake.calls.map(({ action }) => action));
  expect([...actions].toSorted()).toEqual([
    'DescribeClusters',
    'DescribeTaskDefinition',
    'DescribeTasks',
    'ListTasks',
    'StopTask',
  ]);
  expect(bed.fake.account.tasks.size).toBe(0);
});

it('names a cluster that does not exist, in one line', async () => {
  const bed = ecsBed();
  bed.fake.account.catalogue.deleteCluster('rooms');
  expect(await examined(bed)).toEqual([
    {
      level: 'wrong',
      text:
        'there is no active ECS cluster rooms in us-east-1: ' +
        'correct LAUNCHER_ECS_CLUSTER, or AWS_REGION',
    },
  ]);
});

it('names a capacity provider that the cluster does not have', async () => {
  const bed = ecsBed();
  const findings = await examined(bed, {
    templates: [],
    network: { ...NETWORK, capacityProviders: ['FARGATE', 'own'] },
  });
  expect(findings).toEqual([
    {
      level: 'wrong',
      text:
        'cluster rooms has no capacity provider own (it has FARGATE_SPOT, FARGATE): ' +
        'associate it with the cluster, or correct LAUNCHER_ECS_CAPACITY_PROVIDERS',
    },
  ]);
});

it('names a task definition that does not exist', async () => {
  const [finding] = await examined(ecsBed(), { templates: ['missing:1'] });
  expect(finding).toMatchObject({
    level: 'wrong',
    text: expect.stringMatching(/^task definition missing:1: .*ClientException/),
  });
});

test.each<[string, object, string]>([
  ['inactive', { ...good(), status: 'INACTIVE' }, 'is INACTIVE: name an active revision'],
  ['host network', { ...good(), networkMode: 'host' }, 'has networkMode host: it must be awsvpc'],
  ['not for Fargate', { ...good(), compatibilities: ['EC2'] }, 'does not fit Fargate'],
  [
    'without our container',
    { ...good(), containerDefinitions: [{ name: 'web' }, { name: 'log' }] },
    'has no container named agent (it has web, log): name the agent',
  ],
  ['not essential', good({ essential: false }), 'has a container agent that is not essential'],
  ['restarts', good({ restartPolicy: { enabled: true } }), 'has a restart policy on its container'],
  [
    'our variables',
    good({ secrets: [{ name: 'LIVEKIT_API_SECRET', valueFrom: 'arn' }] }),
    'gives its container agent LIVEKIT_API_SECRET: remove them',
  ],
])('a task definition that is %s is named with what to do', (_title, definition, fault) => {
  expect(definitionFaults(TEMPLATE, definition, NETWORK)).toEqual([
    expect.stringContaining(`task definition ${TEMPLATE} ${fault}`),
  ]);
});

it("instances of one's own need not fit Fargate", () => {
  const network = { ...NETWORK, capacityProviders: ['own'] };
  const definition = { ...good(), compatibilities: ['EC2' as const] };
  expect(definitionFaults(TEMPLATE, definition, network)).toEqual([]);
});

it('what may not be looked at is no fault, and says which action is missing', async () => {
  const bed = ecsBed();
  bed.fake.account.permissions.denied.add('ecs:DescribeClusters');
  const [finding] = await examined(bed, { templates: [] });
  expect(finding).toMatchObject({
    level: 'unseen',
    text: expect.stringMatching(/not authorized to perform: ecs:DescribeClusters on resource: arn/),
  });
});

test.each(['ecs:ListTasks', 'ecs:DescribeTasks', 'ecs:StopTask'])(
  '%s is needed',
  async (action) => {
    const bed = ecsBed();
    bed.fake.plant({ cluster: 'rooms', taskDefinition: TEMPLATE, startedBy: 'ours/r-RM_a-1' });
    bed.fake.account.permissions.denied.add(action);
    expect(await examined(bed)).toEqual([
      {
        level: 'wrong',
        text: expect.stringContaining(`not authorized to perform: ${action} on resource: `),
      },
    ]);
  },
);

test.each([
  ['no answer', serverError(), /ServerException/],
  ['wrong credentials', unknownAccessKey(), /AWS does not know the launcher .*give the launcher/],
])('%s: the reason, not an empty list of faults', async (_title, error, message) => {
  const bed = ecsBed();
  bed.fake.faults.always('*', failing(error));
  const outcome = await examined(bed).then(
    (findings) => findings.map(({ text }) => text).join('\n'),
    (problem: Error) => problem.message,
  );
  expect(outcome).toMatch(message);
});

it('is said at the start of the launcher, one line for each', async () => {
  const bed = ecsBed();
  const driver = await bed.driver();
  await driver.prepare?.([{ template: 'missing:1' }, { template: TEMPLATE }], CALM);
  const warnings = bed.log.lines.filter(({ level }) => level === 'warn');
  expect(warnings.map(({ fields }) => fields['reason'])).toContainEqual(
    expect.stringContaining('task definition missing:1'),
  );
});
