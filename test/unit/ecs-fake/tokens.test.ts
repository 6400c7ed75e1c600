/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html */
import { ConflictException } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { bed, FAMILY, HOUR_MS, MINUTE_MS, SUBNETS } from './bed.ts';

const clientToken = 'default.r-RM_1-1';

describe('client tokens', () => {
  it('give the same task for the same request, as it is by then', async () => {
    const { clock, run, list } = bed();
    const first = await run({ clientToken, startedBy: 'default/r-RM_1-1' });
    await clock.advance(MINUTE_MS);
    const again = await run({ clientToken, startedBy: 'default/r-RM_1-1' });
    const { taskArn } = first.tasks![0]!;
    expect(again.tasks).toMatchObject([{ taskArn, lastStatus: 'RUNNING' }]);
    expect(await list()).toEqual([taskArn]);
  });

  it('take parameters in any order of keys for the same', async () => {
    const { run, list } = bed();
    await run({ clientToken, networkConfiguration: { awsvpcConfiguration: { subnets: SUBNETS } } });
    await run({ networkConfiguration: { awsvpcConfiguration: { subnets: SUBNETS } }, clientToken });
    expect(await list()).toHaveLength(1);
  });

  it('conflict with other parameters, and name the task', async () => {
    const { run, start, list } = bed();
    const taskArn = await start({ clientToken });
    const error: unknown = await run({ clientToken, startedBy: 'other' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConflictException);
    expect(error).toMatchObject({ resourceIds: [taskArn], $metadata: { httpStatusCode: 400 } });
    expect(await list()).toEqual([taskArn]);
  });

  it('give a task that stopped within the hour by its ARN and statuses alone', async () => {
    const { clock, fake, run, start } = bed();
    const taskArn = await start({ clientToken });
    await clock.advance(MINUTE_MS);
    fake.finish(taskArn, 0);
    await clock.advance(MINUTE_MS);
    expect((await run({ clientToken })).tasks).toEqual([
      { taskArn, lastStatus: 'STOPPED', desiredStatus: 'STOPPED' },
    ]);
  });

  it('are forgotten an hour after the last task stopped', async () => {
    const { clock, fake, start } = bed();
    const taskArn = await start({ clientToken });
    await clock.advance(MINUTE_MS);
    fake.finish(taskArn, 0);
    await clock.advance(HOUR_MS);
    expect(await start({ clientToken })).toBe(taskArn);
    await clock.advance(MINUTE_MS);
    expect(await start({ clientToken })).not.toBe(taskArn);
  });

  it('are forgotten after 24 hours, although the task still runs', async () => {
    const { clock, start, list } = bed();
    const taskArn = await start({ clientToken });
    await clock.advance(24 * HOUR_MS - 1);
    expect(await start({ clientToken })).toBe(taskArn);
    await clock.advance(1);
    expect(await start({ clientToken })).not.toBe(taskArn);
    expect(await list()).toHaveLength(2);
  });

  it('give the same failures, of which only their number is left after an hour', async () => {
    const { clock, fake, run } = bed();
    fake.capacity.failNext('RESOURCE:MEMORY');
    const failures = [{ reason: 'RESOURCE:MEMORY' }];
    expect(await run({ clientToken })).toMatchObject({ tasks: [], failures });
    expect(await run({ clientToken })).toMatchObject({ tasks: [], failures });
    await clock.advance(HOUR_MS + 1);
    expect(await run({ clientToken })).toMatchObject({ tasks: [], failures: [{}] });
  });

  it('are made by the SDK where the caller gives none', async () => {
    const { fake, run } = bed();
    await run();
    expect(fake.calls[0]!.input).toMatchObject({
      clientToken: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  it('belong to one cluster', async () => {
    const { fake, run, start } = bed();
    fake.addCluster('others');
    const taskArn = await start({ clientToken });
    const { tasks } = await run({ clientToken, cluster: 'others' });
    expect(tasks![0]!.taskArn).not.toBe(taskArn);
  });

  it('know a cluster by its ARN too', async () => {
    const { fake, start } = bed();
    const { clusterArn } = fake.account.catalogue.cluster('rooms');
    const taskArn = await start({ clientToken, cluster: clusterArn });
    // The ARN is another text of the same parameter; what the service says is not documented.
    await expect(start({ clientToken })).rejects.toMatchObject({ resourceIds: [taskArn] });
  });

  it('keep nothing of a request that was refused', async () => {
    const { fake, run } = bed();
    await expect(run({ clientToken, taskDefinition: 'none' })).rejects.toThrow();
    expect((await run({ clientToken, taskDefinition: FAMILY })).tasks).toHaveLength(1);
    expect(fake.violations).toEqual([]);
  });
});
