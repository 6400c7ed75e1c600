/**
 * API_ListTasks.html, API_DescribeTasks.html; eventual consistency: API_RunTask.html ("The Amazon ECS
 * API follows an eventual consistency model").
 */
import { DescribeTasksCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { bed, CLUSTER, FAMILY, MINUTE_MS, request } from './bed.ts';

describe('ListTasks', () => {
  it('shows what is wanted to run, unless asked for what is wanted to stop', async () => {
    const { clock, fake, start, list } = bed();
    const runs = await start();
    const ends = await start();
    await clock.advance(MINUTE_MS);
    fake.finish(ends, 0);
    expect(await list()).toEqual([runs]);
    expect(await list({ desiredStatus: 'STOPPED' })).toEqual([ends]);
    expect(await list({ desiredStatus: 'PENDING' })).toEqual([]);
  });

  it('finds by startedBy what is wanted to run, and nothing else', async () => {
    const { clock, fake, start, list } = bed();
    const ours = await start({ startedBy: 'default/r-RM_1-1' });
    await start({ startedBy: 'default/r-RM_2-1' });
    expect(await list({ startedBy: 'default/r-RM_1-1' })).toEqual([ours]);
    await clock.advance(MINUTE_MS);
    fake.finish(ours, 0);
    expect(await list({ startedBy: 'default/r-RM_1-1' })).toEqual([]);
  });

  it('has pages of 100 at most', async () => {
    const { client, fake } = bed();
    for (let n = 0; n < 25; n += 1) fake.plant(request({ count: 10 }));
    const sizes: number[] = [];
    const all = new Set<string>();
    let nextToken: string | undefined;
    do {
      const page = await client.send(new ListTasksCommand({ cluster: CLUSTER, nextToken }));
      sizes.push(page.taskArns!.length);
      for (const arn of page.taskArns!) all.add(arn);
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    expect(sizes).toEqual([100, 100, 50]);
    expect(all.size).toBe(250);
  });

  it('refuses a token that it did not make', async () => {
    const { list, fake } = bed();
    await expect(list({ nextToken: 'x' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
    expect(fake.violations).toEqual([]);
  });

  it('lags: a new task is missing, a stopped one still runs', async () => {
    const { clock, client, fake, start, list } = bed({ listLagMs: 5_000 });
    const taskArn = await start();
    const input = { cluster: CLUSTER, tasks: [taskArn] };
    const fresh = await client.send(new DescribeTasksCommand(input));
    expect(await list()).toEqual([]);
    expect(fresh).toMatchObject({ tasks: [], failures: [{ arn: taskArn, reason: 'MISSING' }] });
    await clock.advance(MINUTE_MS);
    fake.finish(taskArn, 0);
    await clock.advance(4_000);
    expect(await list()).toEqual([taskArn]);
    await clock.advance(1_000);
    expect(await list()).toEqual([]);
    expect(await list({ desiredStatus: 'STOPPED' })).toEqual([taskArn]);
  });

  it('keeps clusters apart', async () => {
    const { client, fake, start, list, stop } = bed();
    fake.addCluster('others');
    const [foreign] = fake.plant({ cluster: 'others', taskDefinition: FAMILY });
    const taskArn = await start();
    expect(await list()).toEqual([taskArn]);
    const input = { cluster: CLUSTER, tasks: [foreign!.taskArn!] };
    const { failures } = await client.send(new DescribeTasksCommand(input));
    expect(failures).toEqual([{ arn: foreign!.taskArn, reason: 'MISSING' }]);
    await expect(stop(foreign!.taskArn!)).rejects.toThrow('The referenced task was not found.');
    expect(fake.task(foreign!.taskArn!).desiredStatus).toBe('RUNNING');
  });
});

describe('DescribeTasks', () => {
  it('takes ids and ARNs, shows tags only on request, and says what is missing', async () => {
    const { client, start } = bed();
    const taskArn = await start({ tags: [{ key: 'a', value: 'b' }] });
    const id = taskArn.split('/').at(-1)!;
    const input = { cluster: CLUSTER, tasks: [id, 'none'] };
    const { tasks, failures } = await client.send(new DescribeTasksCommand(input));
    expect(tasks).toMatchObject([{ taskArn, tags: [], group: `family:${FAMILY}` }]);
    const arn = taskArn.replace(id, 'none');
    expect(failures).toEqual([{ arn, reason: 'MISSING' }]);
  });
});
