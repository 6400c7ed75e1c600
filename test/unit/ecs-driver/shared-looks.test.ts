/** Stops of many tasks at once: what they cost at the service. The contract suite has the rest. */
import { expect, it } from 'vitest';
import type { TaskId } from '../../../launcher/driver.ts';
import { ecsDriver } from '../../../launcher/drivers/ecs/driver.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { CREDENTIALS, FakeEcs, inProcessHandler } from '../../fakes/ecs/index.ts';
import { RecordedLog } from '../../fakes/log.ts';

it('twenty stops at once look at their tasks with one call', async () => {
  const clock = new FakeClock();
  const ecs = new FakeEcs({ clock });
  ecs.addCluster('rooms');
  const container = { name: 'agent', image: 'agent:1' };
  ecs.register({ family: 'agent', containerDefinitions: [container] });
  const run = { cluster: 'rooms', taskDefinition: 'agent:1', count: 20 };
  const ours = ecs.plant({ ...run, startedBy: 'ours/r-RM_a-1' });
  const [theirs] = ecs.plant({ ...run, count: 1, startedBy: 'theirs/r-RM_a-1' });
  const { region } = ecs.account;
  const network = {
    subnets: ['subnet-a'],
    securityGroups: [],
    assignPublicIp: true,
    capacityProviders: [],
  } as const;
  const driver = await ecsDriver({
    deployment: 'ours',
    cluster: 'rooms',
    network,
    eventsQueueUrl: null,
    clock,
    log: new RecordedLog(),
    sdk: { region, credentials: CREDENTIALS, requestHandler: inProcessHandler(ecs) },
  });
  const stopped = await Promise.all(
    [...ours, theirs!].map(({ taskArn }) =>
      driver.stop(
        taskArn as TaskId,
        { graceMs: 0, reason: 'a test' },
        new AbortController().signal,
      ),
    ),
  );
  expect(stopped).toEqual([...ours.map(() => 'accepted'), 'nothing-to-stop']);
  const calls = ecs.calls.map(({ action }) => action);
  expect(calls.filter((action) => action === 'DescribeTasks')).toHaveLength(1);
  expect(calls.filter((action) => action === 'StopTask')).toHaveLength(20);
  await driver[Symbol.asyncDispose]();
});
