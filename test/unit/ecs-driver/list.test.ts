/** Lists: complete, or rejected. */
import { afterEach, beforeAll, expect, it, test } from 'vitest';
import { EcsError, type Fault, failing, throttled } from '../../fakes/ecs/index.ts';
import { CLUSTER, type EcsBed, ecsBed, TEMPLATE, warmUp } from '../../support/ecs-bed.ts';

const CALM = new AbortController().signal;

beforeAll(warmUp);

let bed: EcsBed;
afterEach(() => expect(bed.fake.violations).toEqual([]));

function planted(count: number, startedBy: (n: number) => string, options = {}): EcsBed {
  bed = ecsBed(options);
  for (let n = 1; n <= count; n += 1) {
    bed.fake.plant({ cluster: CLUSTER, taskDefinition: TEMPLATE, startedBy: startedBy(n) });
  }
  return bed;
}

/** The list, once the pace of calls allows it. */
async function listed(on: EcsBed) {
  const driver = await on.driver();
  const list = driver.list(CALM);
  list.catch(() => {});
  await on.clock.advance(60_000);
  return list;
}

it('reads all pages of running and stopped tasks, and picks ours out of a shared cluster', async () => {
  const on = planted(250, (n) => (n % 2 ? `ours/r-RM_${n}-1` : `theirs/r-RM_${n}-1`));
  await on.clock.advance(60_000);
  const [task] = on.fake.tasks();
  on.fake.finish(task?.taskArn ?? '', 0);
  await on.clock.advance(60_000);
  const tasks = await listed(on);
  expect(tasks).toHaveLength(125);
  expect(tasks.filter(({ phase }) => phase === 'ended').map(({ key }) => key)).toEqual([
    'r-RM_1-1',
  ]);
  expect(new Set(tasks.map(({ key }) => key)).size).toBe(125);
});

it('does not miss a task that ends between its pages', async () => {
  const on = planted(1, () => 'ours/r-RM_a-1');
  await on.clock.advance(60_000);
  const [task] = on.fake.tasks();
  on.fake.faults.decide = (action) => {
    const isSecond = on.fake.calls.filter((call) => call.action === 'ListTasks').length === 1;
    if (action === 'ListTasks' && isSecond) on.fake.finish(task?.taskArn ?? '', 0);
    return null;
  };
  expect(await listed(on)).toMatchObject([{ key: 'r-RM_a-1', phase: 'ended' }]);
});

it('leaves out what ECS has forgotten between its pages', async () => {
  const on = planted(2, (n) => `ours/r-RM_${n}-1`, { stoppedRetentionMs: 3_600_000 });
  await on.clock.advance(60_000);
  const [task] = on.fake.tasks();
  on.fake.finish(task?.taskArn ?? '', 0);
  on.fake.faults.decide = (action) => {
    if (action === 'DescribeTasks') on.fake.account.tasks.delete(task?.taskArn ?? '');
    return null;
  };
  expect((await listed(on)).map(({ key }) => key)).toEqual(['r-RM_2-1']);
});

test.each<[string, Fault, string]>([
  ['throttled', throttled(1), 'throttled'],
  ['a reset', { kind: 'reset-before' }, 'unavailable'],
  ['no answer', { kind: 'hang-before' }, 'unavailable'],
  ['half an answer', { kind: 'truncated' }, 'unavailable'],
  ['HTML', { kind: 'html' }, 'unavailable'],
  ['an empty answer', { kind: 'error', error: new EcsError('', '', 200) }, 'unavailable'],
  ['no permission', failing(new EcsError('AccessDeniedException', 'no')), 'denied'],
  ['no cluster', failing(new EcsError('ClusterNotFoundException', 'no')), 'invalid'],
])('%s in the middle rejects the whole list', async (_title, fault, kind) => {
  for (const action of ['ListTasks', 'DescribeTasks'] as const) {
    const on = planted(150, (n) => `ours/r-RM_${n}-1`);
    let calls = 0;
    on.fake.faults.decide = (asked) => (asked === action && (calls += 1) === 2 ? fault : null);
    await expect(listed(on), action).rejects.toMatchObject({
      name: 'DriverError',
      kind,
      message: expect.stringMatching(/^(ECS, cluster rooms in us-east-1|the answer of ECS)/),
    });
  }
});

it('is no burst beyond what the account allows, however long the list', async () => {
  const on = planted(3_000, (n) => `ours/r-RM_${n}-1`);
  const driver = await on.driver();
  const lists = Promise.all([driver.list(CALM), driver.list(CALM)]);
  await on.clock.advance(60_000);
  const tasks = await lists;
  expect(tasks.map((list) => list.length)).toEqual([3_000, 3_000]);
});

it('says which action is missing, on what', async () => {
  const on = planted(1, () => 'ours/r-RM_a-1');
  on.fake.account.permissions.denied.add('ecs:ListTasks');
  await expect(listed(on)).rejects.toMatchObject({
    kind: 'denied',
    message: expect.stringContaining('not authorized to perform: ecs:ListTasks on resource: *'),
  });
});

it('describes what has stopped once, and forgets it with ECS', async () => {
  const on = planted(3, (n) => (n === 3 ? 'theirs/r-RM_3-1' : `ours/r-RM_${n}-1`));
  await on.clock.advance(60_000);
  const arns = on.fake.tasks().map(({ taskArn = '' }) => taskArn);
  const driver = await on.driver();
  const list = async () => {
    const before = on.fake.calls.length;
    const tasks = await driver.list(CALM);
    const calls = on.fake.calls.slice(before).filter(({ action }) => action === 'DescribeTasks');
    const described = calls.flatMap(({ input }) => ('tasks' in input ? (input.tasks ?? []) : []));
    const phases = tasks.map(({ key, phase }) => `${key} ${phase}`).toSorted();
    return { phases, described: arns.filter((arn) => described.includes(arn)) };
  };
  for (const arn of arns.slice(1)) on.fake.finish(arn, 7);
  // Its exit shows already; ECS has not done with it yet.
  expect(await list()).toEqual({
    phases: ['r-RM_1-1 running', 'r-RM_2-1 ended'],
    described: arns,
  });
  await on.clock.advance(60_000);
  const done = await list();
  expect(done.described).toEqual(arns);
  expect(await list()).toEqual({ phases: done.phases, described: arns.slice(0, 1) });
  await on.clock.advance(4_000_000);
  expect((await list()).phases).toEqual(['r-RM_1-1 running']);
});
