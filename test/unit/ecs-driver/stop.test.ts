/** Stops, and that one kind of call does not wait for another. */
import { beforeAll, expect, it } from 'vitest';
import type { TaskId } from '../../../launcher/driver.ts';
import { rateExceeded } from '../../fakes/ecs/index.ts';
import { CLUSTER, ecsBed, ecsRequest, TEMPLATE, warmUp } from '../../support/ecs-bed.ts';

const CALM = new AbortController().signal;

beforeAll(warmUp);
const HOW = { graceMs: 0, reason: 'the room is gone' };

async function running(options = {}) {
  const bed = ecsBed(options);
  const driver = await bed.driver();
  const result = await driver.launch(ecsRequest('r-RM_a-1'), CALM);
  if (result.outcome !== 'accepted') throw new Error(result.detail);
  const stops = () => bed.fake.calls.filter(({ action }) => action === 'StopTask').length;
  return { ...bed, driver, stops, taskId: result.task.taskId };
}

it('keeps the reason where a later launcher finds it', async () => {
  const { driver, clock, taskId } = await running();
  await clock.advance(30_000);
  expect(await driver.stop(taskId, HOW, CALM)).toBe('accepted');
  await clock.advance(60_000);
  expect(await driver.list(CALM)).toMatchObject([
    { phase: 'ended', exit: { code: 143, detail: 'UserInitiated: the room is gone' } },
  ]);
});

it('is not sent twice: ECS has a grace of its own', async () => {
  const { driver, clock, taskId, stops } = await running();
  await clock.advance(30_000);
  await driver.stop(taskId, HOW, CALM);
  expect(await driver.stop(taskId, HOW, CALM)).toBe('accepted');
  expect(stops()).toBe(1);
});

it('reaches a task that does not show yet', async () => {
  const { driver, clock, taskId, fake } = await running({ listLagMs: 20_000 });
  expect(await driver.stop(taskId, HOW, CALM)).toBe('accepted');
  await clock.advance(60_000);
  expect(fake.task(taskId)).toMatchObject({ lastStatus: 'STOPPED', stopCode: 'UserInitiated' });
});

it('asks nobody about what cannot be a task', async () => {
  const { driver, fake } = await running();
  const before = fake.calls.length;
  for (const id of ['', 'nothing', 'arn:aws:ecs:us-east-1:1:cluster/rooms']) {
    expect(await driver.stop(id as TaskId, HOW, CALM)).toBe('nothing-to-stop');
  }
  expect(fake.calls).toHaveLength(before);
});

it('cuts a reason that ECS would not take', async () => {
  const { driver, taskId, fake } = await running();
  await driver.stop(taskId, { ...HOW, reason: 'x'.repeat(5_000) }, CALM);
  expect(fake.violations).toEqual([]);
});

it('does not wait for launches, nor a list for either', async () => {
  const { driver, clock, taskId, fake } = await running();
  const launches = Array.from({ length: 18 }, (_, n) =>
    driver.launch(ecsRequest(`r-RM_b${n}-1`), new AbortController().signal),
  );
  // Without any time: within the budgets of their own.
  expect(await driver.stop(taskId, HOW, CALM)).toBe('accepted');
  expect((await driver.list(CALM)).length).toBeGreaterThan(0);
  expect(fake.calls.filter(({ action }) => action === 'RunTask').length).toBeLessThan(18);
  await clock.advance(60_000);
  const outcomes = (await Promise.all(launches)).map(({ outcome }) => outcome);
  expect(new Set(outcomes)).toEqual(new Set(['accepted']));
});

it('does not wait for a long list', async () => {
  const { driver, clock, taskId, fake } = await running();
  for (let n = 0; n < 3_000; n += 1) {
    fake.plant({ cluster: CLUSTER, taskDefinition: TEMPLATE, startedBy: `theirs/r-RM_${n}-1` });
  }
  const list = driver.list(CALM);
  await clock.advance(500);
  expect(await driver.stop(taskId, HOW, CALM)).toBe('accepted');
  await clock.advance(60_000);
  expect(await list).toHaveLength(1);
});

it('a launch that is throttled holds the next ones back for as long as ECS says', async () => {
  const { driver, clock, fake } = await running();
  fake.faults.next('RunTask', {
    kind: 'error',
    error: rateExceeded(),
    retryAfterSeconds: 5,
  });
  await driver.launch(ecsRequest('r-RM_b-1'), CALM);
  const heldAtMs = clock.nowMs();
  const next = driver.launch(ecsRequest('r-RM_c-1'), CALM);
  await clock.advance(60_000);
  expect(await next).toMatchObject({ outcome: 'accepted' });
  const sentAtMs = fake.calls.findLast(({ action }) => action === 'RunTask')?.atMs ?? 0;
  expect(sentAtMs - heldAtMs).toBeGreaterThanOrEqual(5_000);
  expect(sentAtMs - heldAtMs).toBeLessThan(6_000);
});
