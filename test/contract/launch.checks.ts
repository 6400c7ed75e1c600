/** The clauses of `launch`. */
import assert from 'node:assert/strict';
import type { Driver, TaskKey } from '../../launcher/driver.ts';
import { calm, check, type Check, key, NOW } from './harness.ts';

const LAUNCHERS = 4;
const LAUNCHES_EACH = 4;

export const launchChecks: readonly Check[] = [
  check('an accepted task is listed under its key, id and template', [], async (bench) => {
    const request = bench.harness.request(key(1));
    const task = await bench.accepted(request);
    assert.equal(task.key, request.key);
    const [listed, ...more] = await bench.tasksOf(await bench.driver(), key(1));
    assert.equal(listed?.taskId, task.taskId);
    assert.equal(listed.template, request.template);
    assert.deepEqual(more, []);
  }),
  check('a task that was promised comes to run by itself', [], async (bench) => {
    const task = await bench.running(key(1));
    assert(task.startedAtMs !== undefined && task.startedAtMs >= task.createdAtMs);
  }),
  check('a key that is none is a bug of the caller', [], async (bench) => {
    const request = bench.harness.request('no task key' as TaskKey);
    await assert.rejects((await bench.driver()).launch(request, calm()));
  }),
  check('a repeat by another launcher is accepted with the same task', [], async (bench) => {
    const request = bench.harness.request(key(1));
    const task = await bench.accepted(request);
    assert.equal((await bench.accepted(request)).taskId, task.taskId);
    const driver = await bench.driver();
    await bench.tasksOf(driver, key(1));
    const other = { ...request, template: `${request.template}.other`, cpu: 2, profile: 'other' };
    assert.equal((await bench.accepted(other)).taskId, task.taskId);
    const tasks = await bench.tasksOf(driver, key(1));
    assert.deepEqual(
      tasks.map(({ taskId, template }) => ({ taskId, template })),
      [{ taskId: task.taskId, template: request.template }],
    );
  }),
  check(
    'launches of one key at once, by several launchers, are one task',
    ['starts'],
    async (bench, can) => {
      const drivers = await Promise.all(Array.from({ length: LAUNCHERS }, () => bench.driver()));
      const tasks = await Promise.all(
        drivers.flatMap((driver) =>
          Array.from({ length: LAUNCHES_EACH }, () =>
            bench.accepted(bench.harness.request(key(1)), driver),
          ),
        ),
      );
      const ids = new Set(tasks.map((task) => task.taskId));
      assert.equal(ids.size, 1);
      const [driver] = drivers as [Driver];
      for (const id of ids) await bench.reaches(driver, id, 'running');
      assert.equal((await bench.tasksOf(driver, key(1))).length, 1);
      await bench.until('the program starts', async () => (await can.starts(key(1))) || undefined);
      assert.equal(await can.starts(key(1)), 1);
    },
  ),
  check(
    'a repeat after the end is accepted with the ended task',
    ['finish', 'starts'],
    async (bench, can) => {
      const task = await bench.running(key(1));
      await can.finish(task, 3);
      await bench.ended(await bench.driver(), task.taskId);
      const again = await bench.accepted(bench.harness.request(key(1)));
      assert.equal(again.taskId, task.taskId);
      assert.equal(again.phase, 'ended');
      assert.equal(again.exit?.code, 3);
      assert.equal((await bench.tasksOf(await bench.driver(), key(1))).length, 1);
      assert.equal(await can.starts(key(1)), 1);
    },
  ),
  check('the promise ends with remove: the key then names a new task', [], async (bench) => {
    const driver = await bench.driver();
    if (!driver.traits.removes) return;
    const task = await bench.running(key(1));
    await driver.stop(task.taskId, NOW, calm());
    await bench.ended(driver, task.taskId);
    await driver.remove(task.taskId, calm());
    const next = await bench.running(key(1));
    assert.notEqual(next.taskId, task.taskId);
    // An id is never used again, so that a late stop cannot hit a later task.
    assert.equal(await driver.stop(task.taskId, NOW, calm()), 'nothing-to-stop');
    assert.equal((await bench.tasksOf(driver, key(1)))[0]?.phase, 'running');
  }),
  check('a repeat starts what a crash left half done', ['leaveHalfDone'], async (bench, can) => {
    await can.leaveHalfDone(key(1));
    const driver = await bench.driver();
    const [half] = await bench.tasksOf(driver, key(1));
    assert.equal(half?.phase, 'starting');
    const task = await bench.accepted(bench.harness.request(key(1)), driver);
    assert.equal(task.taskId, half.taskId);
    await bench.reaches(driver, task.taskId, 'running');
  }),
  check('what a crash left half done can be stopped', ['leaveHalfDone'], async (bench, can) => {
    await can.leaveHalfDone(key(1));
    const driver = await bench.driver();
    const [half] = await bench.tasksOf(driver, key(1));
    assert(half !== undefined);
    assert.equal(await driver.stop(half.taskId, NOW, calm()), 'accepted');
    const task = await bench.ended(driver, half.taskId);
    assert.notEqual(task.exit?.code, 0);
    assert.equal((await bench.accepted(bench.harness.request(key(1)))).phase, 'ended');
  }),
  check(
    'a lost answer is unknown, and a repeat finds the one task',
    ['loseNextAnswer'],
    async (bench, can) => {
      await can.loseNextAnswer();
      const request = bench.harness.request(key(1));
      assert.equal((await (await bench.driver()).launch(request, calm())).outcome, 'unknown');
      const task = await bench.accepted(request);
      const tasks = await bench.tasksOf(await bench.driver(), key(1));
      assert.deepEqual(
        tasks.map(({ taskId }) => taskId),
        [task.taskId],
      );
    },
  ),
  check(
    'an outage is unknown, as a value: there may be a task',
    ['breakEngine'],
    async (bench, can) => {
      const driver = await bench.driver();
      const request = bench.harness.request(key(1));
      await bench.accepted(request, driver);
      await can.breakEngine();
      assert.equal((await driver.launch(request, calm())).outcome, 'unknown');
    },
  ),
  check('an aborted launch is unknown', [], async (bench) => {
    const driver = await bench.driver();
    const request = bench.harness.request(key(1));
    await bench.accepted(request, driver);
    const launch = driver.launch(request, AbortSignal.abort());
    assert.equal((await bench.soon('an aborted launch', launch)).outcome, 'unknown');
  }),
  check(
    'a refusal is a value, and leaves nothing behind',
    ['refusedRequest'],
    async (bench, can) => {
      const driver = await bench.driver();
      const result = await driver.launch(await can.refusedRequest(key(1)), calm());
      assert.equal(result.outcome, 'refused');
      assert(result.outcome === 'refused');
      assert.equal(result.retry, 'never');
      assert.notEqual(result.detail, '');
      assert.deepEqual(await bench.tasksOf(driver, key(1)), []);
    },
  ),
  check(
    'a name that is taken by something not ours is refused, never adopted',
    ['takeName'],
    async (bench, can) => {
      await can.takeName(key(1));
      const result = await (await bench.driver()).launch(bench.harness.request(key(1)), calm());
      assert.equal(result.outcome, 'refused');
      assert(result.outcome === 'refused');
      assert.equal(result.reason, 'invalid');
    },
  ),
  check(
    'a task sees what the request gives it, and nothing of the launcher',
    ['seenEnv'],
    async (bench, can) => {
      const request = bench.harness.request(key(1));
      const driver = await bench.driver();
      const task = await bench.accepted(
        { ...request, env: { ...request.env, LIVEKIT_URL: 'ws://gateway.test' } },
        driver,
      );
      await bench.reaches(driver, task.taskId, 'running');
      const env = await can.seenEnv(task);
      assert.equal(env['LIVEKIT_URL'], 'ws://gateway.test');
      assert.equal(env['ONLY_THE_LAUNCHER'], undefined);
    },
  ),
  check(
    'a file of variables reaches the task, without names of ours',
    ['writeEnvFile', 'seenEnv'],
    async (bench, can) => {
      const request = bench.harness.request(key(1));
      const driver = await bench.driver();
      const names = ['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'];
      const text = names.map((name) => `${name}=theirs`).join('\n');
      const task = await bench.accepted(
        {
          ...request,
          env: { ...request.env, SHARED: 'from the request', LIVEKIT_API_KEY: 'ours' },
          envFile: await can.writeEnvFile(`${text}\nSHARED=from the file\nAGENT="two words"\n`),
        },
        driver,
      );
      await bench.reaches(driver, task.taskId, 'running');
      const env = await can.seenEnv(task);
      assert.equal(env['AGENT'], 'two words');
      assert.equal(env['SHARED'], 'from the request');
      assert.deepEqual(
        names.map((name) => env[name]),
        [undefined, 'ours', undefined],
      );
    },
  ),
  check(
    'a file of variables that cannot be read refuses for good',
    ['writeEnvFile'],
    async (bench, can) => {
      const envFile = `${await can.writeEnvFile('')}.missing`;
      const driver = await bench.driver();
      const result = await driver.launch({ ...bench.harness.request(key(1)), envFile }, calm());
      assert.equal(result.outcome, 'refused');
      assert(result.outcome === 'refused');
      assert.equal(result.retry, 'never');
      assert(result.detail.includes(envFile));
      assert.deepEqual(await bench.tasksOf(driver, key(1)), []);
    },
  ),
];
