/**
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html (per account and
 * Region; "a set number of tokens is added back to it every second") and
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/throttling.html (Fargate).
 *
 * That Fargate's rate of tasks shows as ThrottlingException, too, is said there of RunTask calls alone.
 */
import { describe, expect, it } from 'vitest';
import { AWS_RATES } from '../../fakes/ecs/index.ts';
import { bed, FAMILY } from './bed.ts';

const THROTTLED = {
  name: 'ThrottlingException',
  message: 'Rate exceeded',
  $metadata: { httpStatusCode: 400 },
};
const unthrottled = { burst: 1000, perSecond: 1000 };

/** How many of `count` calls are let through. */
async function letThrough(count: number, call: () => Promise<unknown>): Promise<number> {
  const settled = await Promise.allSettled(Array.from({ length: count }, call));
  for (const result of settled) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject(THROTTLED);
  }
  return settled.filter(({ status }) => status === 'fulfilled').length;
}

describe('the rates of the API', () => {
  it('let 100 reads through at once, then 20 each second', async () => {
    const { clock, list, see, start } = bed();
    const taskArn = await start();
    expect(await letThrough(60, () => list())).toBe(60);
    expect(await letThrough(60, () => see(taskArn))).toBe(40);
    await clock.advance(999);
    expect(await letThrough(1, () => list())).toBe(0);
    await clock.advance(1);
    expect(await letThrough(60, () => list())).toBe(20);
    await clock.advance(60_000);
    expect(await letThrough(110, () => list())).toBe(100);
  });

  it('let RunTask and StopTask share 100 at once, then 40 each second', async () => {
    const { clock, run, start, stop } = bed({ rates: { fargateRunTask: unthrottled } });
    const taskArn = await start();
    expect(await letThrough(60, () => stop(taskArn))).toBe(60);
    expect(await letThrough(60, () => run())).toBe(39);
    await clock.advance(1_000);
    expect(await letThrough(60, () => stop(taskArn))).toBe(40);
  });

  it('count a call that asks for nothing new', async () => {
    const { run } = bed();
    const again = () => run({ clientToken: 'one' });
    expect(await letThrough(110, again)).toBe(100);
  });
});

describe('the rates of Fargate', () => {
  it('let 20 launching calls through each second', async () => {
    const { clock, fake, run } = bed();
    expect(await letThrough(30, () => run())).toBe(20);
    await clock.advance(1_000);
    expect(await letThrough(30, () => run())).toBe(20);
    expect(fake.tasks()).toHaveLength(40);
  });

  it('let 100 tasks start at once, then 20 each second', async () => {
    const { clock, fake, run } = bed();
    expect(await letThrough(15, () => run({ count: 10 }))).toBe(10);
    await clock.advance(1_000);
    expect(await letThrough(5, () => run({ count: 10 }))).toBe(2);
    expect(fake.tasks()).toHaveLength(120);
  });

  it('do not concern tasks on EC2', async () => {
    const { fake, run } = bed();
    fake.register({
      family: FAMILY,
      networkMode: 'awsvpc',
      containerDefinitions: [{ name: 'agent' }],
    });
    expect(await letThrough(30, () => run({ launchType: 'EC2' }))).toBe(30);
  });

  it('are those of an account: another has its own', async () => {
    const [one, other] = [bed(), bed({ accountId: '444455556666' })];
    expect(await letThrough(30, () => one.run())).toBe(20);
    expect(await letThrough(30, () => other.run())).toBe(20);
    expect(AWS_RATES.fargateRunTask).toEqual({ burst: 20, perSecond: 20 });
  });
});
