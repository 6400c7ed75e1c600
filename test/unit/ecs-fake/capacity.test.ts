/**
 * Want of capacity: HTTP 200 with `failures[]`.
 *
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/api_failures_messages.html (RESOURCE:*,
 * AGENT, ATTRIBUTE, LOCATION, CAPACITY), https://repost.aws/knowledge-center/ecs-fargate-runtask-capacity
 * (Fargate's words). The quota's words are those of a service event; that RunTask answers them in
 * `failures[]` is known from callers' code alone.
 */
import { describe, expect, it } from 'vitest';
import {
  failing,
  NO_FARGATE_CAPACITY,
  provisioningLimitExceeded,
  VCPU_QUOTA,
} from '../../fakes/ecs/index.ts';
import { bed, MINUTE_MS } from './bed.ts';

const strategy = (...capacityProviders: string[]) => ({
  launchType: undefined,
  capacityProviderStrategy: capacityProviders.map((capacityProvider, n) => ({
    capacityProvider,
    weight: 10 - n,
  })),
});
const none = { tasks: [], failures: [{ reason: NO_FARGATE_CAPACITY }] };

describe('capacity', () => {
  it('is taken away by zone: a task goes to another of its subnets', async () => {
    const { fake, run } = bed();
    fake.capacity.exhaust({ subnet: 'subnet-a' });
    const { tasks } = await run();
    expect(tasks![0]!.attachments![0]!.details).toEqual([{ name: 'subnetId', value: 'subnet-b' }]);
    fake.capacity.exhaust({ subnet: 'subnet-b' });
    expect(await run()).toMatchObject(none);
    fake.capacity.restore({ subnet: 'subnet-a' });
    expect((await run()).tasks).toHaveLength(1);
  });

  it('is taken away by provider, and the service falls back to no other', async () => {
    const { fake, run } = bed();
    fake.capacity.exhaust({ capacityProvider: 'FARGATE_SPOT' });
    expect(await run(strategy('FARGATE_SPOT', 'FARGATE'))).toMatchObject(none);
    const { tasks } = await run(strategy('FARGATE'));
    expect(tasks).toMatchObject([{ capacityProviderName: 'FARGATE', launchType: 'FARGATE' }]);
  });

  it('is spread over providers by base and weight', async () => {
    const { run } = bed();
    const capacityProviderStrategy = [
      { capacityProvider: 'FARGATE', base: 1, weight: 1 },
      { capacityProvider: 'FARGATE_SPOT', weight: 4 },
    ];
    const { tasks } = await run({ launchType: undefined, capacityProviderStrategy, count: 6 });
    const onDemand = tasks!.filter(
      ({ capacityProviderName }) => capacityProviderName === 'FARGATE',
    );
    expect(onDemand).toHaveLength(2);
  });

  it('is the default strategy of the cluster where the request names nothing', async () => {
    const { fake, run } = bed();
    fake.addCluster('spot', {
      capacityProviders: ['FARGATE_SPOT'],
      defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
    });
    const { tasks } = await run({ cluster: 'spot', launchType: undefined });
    expect(tasks![0]!.capacityProviderName).toBe('FARGATE_SPOT');
  });

  it.each(['RESOURCE:MEMORY', 'RESOURCE:ENI', 'AGENT', 'ATTRIBUTE'])(
    'is refused as a test says: %s',
    async (reason) => {
      const { fake, run } = bed();
      fake.capacity.failNext(reason, 2);
      const { tasks, failures } = await run({ count: 3 });
      expect(failures).toEqual([{ reason }, { reason }]);
      expect(tasks).toHaveLength(1);
    },
  );

  it('is a ClientException where too many tasks wait for managed scaling', async () => {
    const { fake, run } = bed();
    fake.faults.next('RunTask', failing(provisioningLimitExceeded()));
    await expect(run()).rejects.toMatchObject({
      name: 'ClientException',
      message: 'Tasks provisioning capacity limit exceeded.',
    });
  });

  it('ends at the quota of vCPUs, and comes back as tasks end', async () => {
    const { clock, fake, run, start } = bed();
    fake.capacity.vcpuQuota = 2;
    const taskArn = await start();
    await start();
    expect(await run()).toMatchObject({ tasks: [], failures: [{ reason: VCPU_QUOTA }] });
    fake.stop(taskArn, 'enough');
    await clock.advance(MINUTE_MS);
    expect((await run()).tasks).toHaveLength(1);
  });
});
