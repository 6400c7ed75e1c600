/** What each answer of ECS to a launch becomes: on the fake, by the SDK as it is. */
import { afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import type { LaunchRequest, LaunchResult } from '../../../launcher/driver.ts';
import {
  EcsError,
  type Fault,
  expiredCredentials,
  failing,
  provisioningLimitExceeded,
  serverError,
  throttled,
} from '../../fakes/ecs/index.ts';
import {
  CLUSTER,
  type EcsBed,
  ecsBed,
  ecsRequest,
  NETWORK,
  TEMPLATE,
  warmUp,
} from '../../support/ecs-bed.ts';

const KEY = 'r-RM_a-1';
const CALM = new AbortController().signal;

beforeAll(warmUp);

let bed: EcsBed | undefined;
afterEach(() => {
  // What the driver sends breaks no limit of ECS.
  expect(bed?.fake.violations ?? []).toEqual([]);
  bed = undefined;
});

function made(options?: Parameters<typeof ecsBed>[0]): EcsBed {
  return (bed = ecsBed(options));
}

/** Launches by a driver of its own, with time for a request that gets no answer. */
async function launch(on: EcsBed, request: Partial<LaunchRequest> = {}): Promise<LaunchResult> {
  const driver = await on.driver();
  const result = driver.launch({ ...ecsRequest(KEY), ...request }, CALM);
  await on.clock.advance(60_000);
  return result;
}

const outcomeOf = (result: LaunchResult) =>
  result.outcome === 'refused' ? `${result.reason} ${result.retry}` : result.outcome;

test.each<[string, Fault, string]>([
  ['throttled', throttled(), 'throttled same-key'],
  ['throttled for a while', throttled(2), 'throttled same-key'],
  ['a server error', failing(serverError()), 'unknown'],
  ['a server error after it acted', { ...failing(serverError()), acted: true } as Fault, 'unknown'],
  ['HTML', { kind: 'html' }, 'unknown'],
  ['HTML of a proxy that refuses', { kind: 'html', status: 403 }, 'unknown'],
  ['a reset', { kind: 'reset-before' }, 'unknown'],
  ['a reset after it acted', { kind: 'reset-after' }, 'unknown'],
  ['no answer', { kind: 'hang-before' }, 'unknown'],
  ['no answer after it acted', { kind: 'hang-after' }, 'unknown'],
  ['half an answer', { kind: 'truncated' }, 'unknown'],
  ['expired credentials', failing(expiredCredentials()), 'denied same-key'],
  ['a quota', failing(new EcsError('LimitExceededException', 'no more')), 'quota same-key'],
  ['a blocked account', failing(new EcsError('BlockedException', 'no')), 'denied never'],
  ['what we asked wrongly', failing(new EcsError('ClientException', 'no')), 'invalid never'],
  [
    'a platform that does not fit',
    failing(new EcsError('PlatformTaskDefinitionIncompatibilityException', 'no')),
    'invalid never',
  ],
])('%s reads as it should, and the key can be repeated', async (_title, fault, outcome) => {
  const on = made();
  on.fake.faults.next('RunTask', fault);
  expect(outcomeOf(await launch(on))).toBe(outcome);
  expect(await launch(on)).toMatchObject({ outcome: 'accepted', task: { key: KEY } });
  expect(on.fake.tasks()).toHaveLength(1);
});

it('a repeat for a task that has ended since is told its end, not its name alone', async () => {
  const on = made();
  await launch(on);
  const [task] = on.fake.tasks();
  on.fake.finish(task?.taskArn ?? '', 64);
  await on.clock.advance(120_000);
  expect(await launch(on)).toMatchObject({
    outcome: 'accepted',
    task: { key: KEY, phase: 'ended', exit: { code: 64 } },
  });
});

it('an answer of success that says nothing is unknown', async () => {
  const on = made();
  on.fake.faults.next('RunTask', { kind: 'error', error: new EcsError('', '', 200) });
  expect(outcomeOf(await launch(on))).toBe('unknown');
});

/** Where ECS says that too many tasks wait for managed scaling. */
async function launchOn(capacityProvider: string, template = TEMPLATE): Promise<LaunchResult> {
  const on = made();
  on.fake.addCluster(CLUSTER, { capacityProviders: [capacityProvider] });
  on.fake.faults.next('RunTask', failing(provisioningLimitExceeded()));
  const network = { ...NETWORK, capacityProviders: [capacityProvider] };
  const driver = await on.driver({ network });
  const result = driver.launch({ ...ecsRequest(KEY), template }, CALM);
  await on.clock.advance(60_000);
  return result;
}

describe('want of capacity', () => {
  it('is told from a wrong request where managed scaling has too many waiting tasks', async () => {
    const result = await launchOn('instances');
    expect(outcomeOf(result)).toBe('capacity next-key');
    expect(result).toMatchObject({ detail: expect.stringMatching(/provisioning capacity limit/) });
  });

  it.each([
    ['a task definition that is not there', 'instances', 'missing:1'],
    ['Fargate, which has no such limit', 'FARGATE', TEMPLATE],
  ])('is not what %s suffers from', async (_title, provider, template) => {
    expect(outcomeOf(await launchOn(provider, template))).toBe('invalid never');
  });

  it('is replayed for its key; the next key goes to the next subnet', async () => {
    const on = made();
    on.fake.capacity.exhaust({ subnet: 'subnet-a' });
    const first = await launch(on);
    expect(outcomeOf(first)).toBe('capacity next-key');
    on.fake.capacity.restore({ subnet: 'subnet-a' });
    expect(await launch(on)).toEqual(first);
    const next = await launch(on, ecsRequest('r-RM_a-2'));
    expect(outcomeOf(next)).toBe('accepted');
  });

  it('says what was wanted where, and what ECS said', async () => {
    const on = made();
    on.fake.capacity.exhaust({}, 'RESOURCE:ENI');
    expect(await launch(on)).toMatchObject({
      detail:
        'ECS runs no task of agent:1 (cpu 1, 2048 MiB) in subnet subnet-a on Fargate, ' +
        'cluster rooms: RESOURCE:ENI; no instance has a network interface left',
    });
  });
});

describe('a token that is taken', () => {
  it('is adopted with what it made, also when that has ended', async () => {
    const on = made();
    const first = await launch(on);
    expect(first.outcome).toBe('accepted');
    const [task] = on.fake.tasks();
    on.fake.finish(task?.taskArn ?? '', 3);
    await on.clock.advance(60_000);
    expect(await launch(on, { memoryMiB: 4096 })).toMatchObject({
      outcome: 'accepted',
      task: { taskId: task?.taskArn, key: KEY, phase: 'ended', exit: { code: 3 } },
    });
    expect(on.fake.tasks()).toHaveLength(1);
  });

  it('by a failed launch with other settings asks for the next key', async () => {
    const on = made();
    const error = new EcsError('ConflictException', 'taken', 400, { resourceIds: [] });
    on.fake.faults.next('RunTask', failing(error));
    expect(outcomeOf(await launch(on))).toBe('invalid next-key');
  });

  it('by a task that does not show yet is unknown, and found later', async () => {
    const on = made({ listLagMs: 200_000 });
    await launch(on);
    expect(outcomeOf(await launch(on, { cpu: 2, memoryMiB: 4096 }))).toBe('unknown');
    await on.clock.advance(200_000);
    expect(outcomeOf(await launch(on, { cpu: 2, memoryMiB: 4096 }))).toBe('accepted');
  });
});

describe('what can never be launched', () => {
  test.each(['ecs:RunTask', 'ecs:TagResource', 'iam:PassRole'])(
    'without %s: which action, on what',
    async (action) => {
      const on = made();
      const role = 'arn:aws:iam::111122223333:role/agent';
      on.fake.register({
        family: 'agent',
        networkMode: 'awsvpc',
        executionRoleArn: role,
        containerDefinitions: [{ name: 'agent', image: 'agent:1' }],
      });
      on.fake.account.permissions.denied.add(action);
      const result = await launch(on, { template: 'agent:2' });
      expect(outcomeOf(result)).toBe('denied never');
      expect(result).toMatchObject({
        detail: expect.stringMatching(`not authorized to perform: ${action} on resource: arn:`),
      });
    },
  );

  it('in a cluster that does not exist', async () => {
    const on = made();
    on.fake.account.catalogue.deleteCluster('rooms');
    const result = await launch(on);
    expect(outcomeOf(result)).toBe('invalid never');
    expect(result).toMatchObject({
      detail: expect.stringContaining('cluster rooms (ClusterNotFoundException): Cluster not'),
    });
  });

  it('of a task definition without our container', async () => {
    const on = made();
    on.fake.register({
      family: 'web',
      networkMode: 'awsvpc',
      containerDefinitions: [{ name: 'x' }],
    });
    const result = await launch(on, { template: 'web:1' });
    expect(outcomeOf(result)).toBe('invalid never');
    expect(result).toMatchObject({ detail: expect.stringContaining('container named agent') });
    // The one limit that only ECS can tell is broken.
    on.fake.violations.length = 0;
  });

  it('with more variables than ECS takes, without asking it', async () => {
    const on = made();
    const result = await launch(on, { env: { A: 'a'.repeat(8_200) }, profile: 'gold' });
    expect(outcomeOf(result)).toBe('invalid never');
    expect(result).toMatchObject({
      detail: expect.stringMatching(/^the variables of profile gold/),
    });
    expect(on.fake.calls).toEqual([]);
  });

  it('with the longest variables that ECS takes, it is launched', async () => {
    const on = made();
    const rest = JSON.stringify({
      cpu: '1024',
      memory: '2048',
      containerOverrides: [{ name: 'agent', environment: [{ name: 'A', value: '' }] }],
    }).length;
    expect(outcomeOf(await launch(on, { env: { A: 'a'.repeat(8_192 - rest) } }))).toBe('accepted');
  });

  it('with an env file', async () => {
    const on = made();
    expect(outcomeOf(await launch(on, { envFile: 'agent.env' }))).toBe('invalid never');
    expect(on.fake.calls).toEqual([]);
  });
});
