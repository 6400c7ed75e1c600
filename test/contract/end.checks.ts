/** The clauses of `stop`, `remove` and exits. */
import assert from 'node:assert/strict';
import type { Driver, TaskId, TaskKey } from '../../launcher/driver.ts';
import { type Bench, calm, check, type Check, key, NOW, rejectsWith } from './harness.ts';

const GRACE_MS = 400;
/** Longer than any check takes. */
const LONG_MS = 600_000;

/** A task whose program has set up how it takes SIGTERM. */
async function ready(
  bench: Bench,
  can: { starts(taskKey: TaskKey): Promise<number> },
  onSigterm?: number | 'ignore',
): Promise<{ driver: Driver; taskId: TaskId }> {
  const { taskId } = await bench.running(key(1), onSigterm === undefined ? {} : { onSigterm });
  await bench.until('the program runs', async () => (await can.starts(key(1))) || undefined);
  return { driver: await bench.driver(), taskId };
}

/** Engines with a fixed grace keep their own time: these checks concern the others. */
function takesGrace(driver: Driver): boolean {
  return 'maxMs' in driver.traits.grace;
}

export const endChecks: readonly Check[] = [
  check('stop ends a live task; a repeat says that there is nothing to stop', [], async (bench) => {
    const { taskId } = await bench.running(key(1));
    const driver = await bench.driver();
    assert.equal(await driver.stop(taskId, { ...NOW, graceMs: GRACE_MS }, calm()), 'accepted');
    const task = await bench.ended(driver, taskId);
    assert.equal(task.exit?.code, 143);
    assert.equal(await driver.stop(taskId, NOW, calm()), 'nothing-to-stop');
    const after = await bench.tasksOf(driver, key(1));
    assert.deepEqual(after[0]?.exit, task.exit);
  }),
  check('stop of an unknown task says that there is nothing to stop', [], async (bench) => {
    const driver = await bench.driver();
    const task = await bench.running(key(1));
    for (const id of ['nothing', `${task.taskId}0`, '../elsewhere', '']) {
      assert.equal(await driver.stop(id as TaskId, NOW, calm()), 'nothing-to-stop', id);
    }
    assert.equal((await bench.tasksOf(driver, key(1)))[0]?.phase, 'running');
  }),
  check('stop leaves other tasks alone', [], async (bench) => {
    const driver = await bench.driver();
    const task = await bench.running(key(1, 1));
    const next = await bench.running(key(1, 2));
    await driver.stop(task.taskId, NOW, calm());
    await bench.ended(driver, task.taskId);
    assert.equal((await bench.tasksOf(driver, key(1, 2)))[0]?.taskId, next.taskId);
    assert.equal((await bench.tasksOf(driver, key(1, 2)))[0]?.phase, 'running');
  }),
  check('SIGTERM comes first: the task may end in its own way', ['starts'], async (bench, can) => {
    const { driver, taskId } = await ready(bench, can, 7);
    await driver.stop(taskId, { ...NOW, graceMs: LONG_MS }, calm());
    assert.equal((await bench.ended(driver, taskId)).exit?.code, 7);
  }),
  check('SIGKILL follows after the grace, not before', ['starts'], async (bench, can) => {
    const { driver, taskId } = await ready(bench, can, 'ignore');
    if (!takesGrace(driver)) return;
    const stoppedAtMs = bench.harness.nowMs();
    await driver.stop(taskId, { ...NOW, graceMs: GRACE_MS }, calm());
    await bench.reaches(driver, taskId, 'stopping');
    const task = await bench.ended(driver, taskId);
    assert.equal(task.exit?.code, 137);
    assert((task.endedAtMs ?? 0) >= stoppedAtMs + GRACE_MS, 'killed before the grace was over');
  }),
  check('a grace of 0 is SIGKILL at once', ['starts'], async (bench, can) => {
    const { driver, taskId } = await ready(bench, can, 7);
    if (!takesGrace(driver)) return;
    await driver.stop(taskId, NOW, calm());
    assert.equal((await bench.ended(driver, taskId)).exit?.code, 137);
  }),
  check(
    'a repeated stop is accepted, and may hurry but not put off the end',
    ['starts'],
    async (bench, can) => {
      const { driver, taskId } = await ready(bench, can, 'ignore');
      if (!takesGrace(driver)) return;
      await driver.stop(taskId, { ...NOW, graceMs: LONG_MS }, calm());
      await bench.reaches(driver, taskId, 'stopping');
      const other = await bench.driver();
      assert.equal(await other.stop(taskId, { ...NOW, graceMs: GRACE_MS }, calm()), 'accepted');
      assert.equal(await driver.stop(taskId, { ...NOW, graceMs: LONG_MS }, calm()), 'accepted');
      assert.equal((await bench.ended(driver, taskId)).exit?.code, 137);
    },
  ),
  check('an exit code is reported as it is', ['finish'], async (bench, can) => {
    const driver = await bench.driver();
    for (const [room, code] of [0, 1, 75].entries()) {
      const task = await bench.running(key(room));
      await can.finish(task, code);
      assert.equal((await bench.ended(driver, task.taskId)).exit?.code, code);
    }
  }),
  check('an end by a signal reads as 128 and its number', ['kill'], async (bench, can) => {
    const task = await bench.running(key(1));
    await can.kill(task);
    const { exit } = await bench.ended(await bench.driver(), task.taskId);
    assert.equal(exit?.code, 137);
  }),
  check('a lost exit code is null, not success', ['lose'], async (bench, can) => {
    const task = await bench.running(key(1));
    await can.lose(task);
    const { exit } = await bench.ended(await bench.driver(), task.taskId);
    assert.equal(exit?.code, null);
  }),
  check('an end for want of memory says so', ['exhaust'], async (bench, can) => {
    const task = await bench.running(key(1));
    await can.exhaust(task);
    const { exit } = await bench.ended(await bench.driver(), task.taskId);
    assert.equal(exit?.oomKilled, true);
  }),
  check('an ended task stays listed until it is removed', ['finish'], async (bench, can) => {
    const task = await bench.running(key(1));
    await can.finish(task, 3);
    const driver = await bench.driver();
    await bench.ended(driver, task.taskId);
    assert.equal((await bench.tasksOf(driver, key(1)))[0]?.exit?.code, 3);
    await driver.remove(task.taskId, calm());
    const left = await bench.tasksOf(await bench.driver(), key(1));
    if (driver.traits.removes) assert.deepEqual(left, []);
    assert(left.every(({ phase }) => phase === 'ended'));
    await driver.remove(task.taskId, calm());
  }),
  check('remove resolves for an unknown task and touches nothing', [], async (bench) => {
    const task = await bench.running(key(1));
    const driver = await bench.driver();
    for (const id of ['nothing', `${task.taskId}0`, '..', '../elsewhere', '']) {
      await driver.remove(id as TaskId, calm());
    }
    assert.equal((await bench.tasksOf(driver, key(1)))[0]?.taskId, task.taskId);
  }),
  check('remove leaves a live task alone and rejects with conflict', [], async (bench) => {
    const task = await bench.running(key(1));
    const driver = await bench.driver();
    if (!driver.traits.removes) return;
    await rejectsWith(driver.remove(task.taskId, calm()), 'conflict');
    assert.equal((await bench.tasksOf(driver, key(1)))[0]?.phase, 'running');
  }),
];
