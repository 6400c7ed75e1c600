/** The clauses of `list`, of `watch`, and of what belongs to whom. */
import assert from 'node:assert/strict';
import type { ObservedTask } from '../../launcher/driver.ts';
import { calm, check, type Check, key, NOW, rejectsWith } from './harness.ts';

const ORDER = ['starting', 'running', 'stopping', 'ended'];

export const listChecks: readonly Check[] = [
  check('tasks of other launchers and ended ones are listed', ['finish'], async (bench, can) => {
    const ended = await bench.running(key(1));
    await can.finish(ended, 0);
    const live = await bench.running(key(2));
    const driver = await bench.driver();
    await bench.ended(driver, ended.taskId);
    const tasks = await driver.list(calm());
    assert.deepEqual(
      tasks.map(({ taskId }) => taskId).toSorted(),
      [ended.taskId, live.taskId].toSorted(),
    );
  }),
  check(
    'phases only go forward, and only an ended task has an exit',
    ['finish'],
    async (bench, can) => {
      const driver = await bench.driver();
      const seen: ObservedTask[] = [];
      const look = async (phase: ObservedTask['phase']) =>
        bench.until(phase, async () => {
          const task = (await driver.list(calm()))[0];
          if (task !== undefined) seen.push(task);
          return task?.phase === phase ? task : undefined;
        });
      seen.push(await bench.accepted(bench.harness.request(key(1)), driver));
      await can.finish(await look('running'), 0);
      await look('ended');
      seen.push(...(await bench.tasksOf(driver, key(1))));
      const steps = seen.map(({ phase }) => ORDER.indexOf(phase));
      assert.deepEqual(
        steps,
        steps.toSorted((a, b) => a - b),
      );
      for (const task of seen) {
        assert.equal(task.exit !== undefined, task.phase === 'ended');
        assert.equal(task.endedAtMs !== undefined, task.phase === 'ended');
        const { createdAtMs, startedAtMs = createdAtMs, endedAtMs = startedAtMs } = task;
        assert(createdAtMs <= startedAtMs && startedAtMs <= endedAtMs, 'times in order');
        assert.equal(createdAtMs, seen[0]?.createdAtMs);
      }
    },
  ),
  check('damaged tasks are listed with key null', ['plantDamaged'], async (bench, can) => {
    await can.plantDamaged();
    const task = await bench.running(key(1));
    const tasks = await (await bench.driver()).list(calm());
    assert.deepEqual(new Set(tasks.map((each) => each.key)), new Set([task.key, null]));
    assert.equal(tasks.length, 2);
    const damaged = tasks.find((each) => each.key === null);
    assert.notEqual(damaged?.phase, 'ended');
  }),
  check(
    'a state that the driver does not know counts as running',
    ['makeOdd'],
    async (bench, can) => {
      const task = await bench.running(key(1));
      await can.makeOdd(task);
      assert.equal((await bench.tasksOf(await bench.driver(), key(1)))[0]?.phase, 'running');
      const again = await bench.accepted(bench.harness.request(key(1)));
      assert.equal(again.taskId, task.taskId);
    },
  ),
  check('an outage rejects: a list is never shortened', ['breakEngine'], async (bench, can) => {
    const driver = await bench.driver();
    const task = await bench.running(key(1));
    await driver.list(calm());
    await can.breakEngine();
    await rejectsWith(driver.list(calm()), 'unavailable', 'throttled');
    await rejectsWith(driver.stop(task.taskId, NOW, calm()), 'unavailable', 'throttled');
    // Where nothing can be freed, nobody need be asked.
    if (!driver.traits.removes) return;
    await rejectsWith(driver.remove(task.taskId, calm()), 'unavailable', 'throttled');
  }),
  check('aborted calls reject', [], async (bench) => {
    const driver = await bench.driver();
    const task = await bench.running(key(1));
    const aborted = AbortSignal.abort();
    await bench.soon('list', rejectsWith(driver.list(aborted)));
    await bench.soon('stop', rejectsWith(driver.stop(task.taskId, NOW, aborted)));
    await bench.soon('remove', rejectsWith(driver.remove(task.taskId, aborted)));
  }),
  check('every verb settles soon after an abort in mid-call', ['hang'], async (bench, can) => {
    const driver = await bench.driver();
    const task = await bench.running(key(1));
    await driver.list(calm());
    await can.hang(task);
    const caller = new AbortController();
    const { signal } = caller;
    const launch = driver.launch(bench.harness.request(key(1)), signal);
    const remove = () => driver.remove(task.taskId, signal);
    const calls = [
      rejectsWith(driver.list(signal)),
      rejectsWith(driver.stop(task.taskId, NOW, signal)),
      // Where nothing can be freed, nobody need be asked.
      driver.traits.removes ? rejectsWith(remove()) : remove(),
    ];
    await bench.harness.pause();
    caller.abort();
    assert.equal((await bench.soon('launch', launch)).outcome, 'unknown');
    await bench.soon('list, stop and remove', Promise.all(calls));
  }),
  check(
    "another deployment's task is never listed, stopped or removed",
    ['finish'],
    async (bench, can) => {
      const theirs = await bench.running(key(1), { deployment: 'theirs' });
      const driver = await bench.driver();
      assert.deepEqual(await driver.list(calm()), []);
      assert.equal(await driver.stop(theirs.taskId, NOW, calm()), 'nothing-to-stop');
      await driver.remove(theirs.taskId, calm());
      const owner = await bench.driver('theirs');
      assert.equal((await bench.tasksOf(owner, key(1)))[0]?.phase, 'running');
      await can.finish(theirs, 0);
      await bench.ended(owner, theirs.taskId);
      await driver.remove(theirs.taskId, calm());
      assert.equal((await bench.tasksOf(owner, key(1))).length, 1);
    },
  ),
  check('two deployments may use one key side by side', [], async (bench) => {
    const theirs = await bench.running(key(1), { deployment: 'theirs' });
    const ours = await bench.running(key(1));
    assert.notEqual(ours.taskId, theirs.taskId);
    const driver = await bench.driver();
    await driver.stop(ours.taskId, NOW, calm());
    await bench.ended(driver, ours.taskId);
    const owner = await bench.driver('theirs');
    assert.equal((await bench.tasksOf(owner, key(1)))[0]?.phase, 'running');
  }),
  check('tasks go on when their launcher closes its driver', [], async (bench) => {
    const first = await bench.driver();
    const { taskId } = await bench.accepted(bench.harness.request(key(1)), first);
    await bench.reaches(first, taskId, 'running');
    await first[Symbol.asyncDispose]();
    const next = await bench.driver();
    assert.equal((await bench.tasksOf(next, key(1)))[0]?.phase, 'running');
  }),
  check(
    'tasks outlive a launcher that is killed; the next one lists and stops them',
    ['killLauncher'],
    async (bench, can) => {
      const first = await bench.driver();
      const { taskId } = await bench.accepted(bench.harness.request(key(1)), first);
      await can.killLauncher(first);
      const next = await bench.driver();
      await bench.accepted(bench.harness.request(key(1)), next);
      assert.equal((await bench.reaches(next, taskId, 'running')).key, key(1));
      assert.equal(await next.stop(taskId, NOW, calm()), 'accepted');
      await bench.ended(next, taskId);
    },
  ),
  check(
    'hints, where there are any, follow a change and cease after the watch',
    ['finish'],
    async (bench, can) => {
      const driver = await bench.driver();
      if (driver.watch === undefined) return;
      let hints = 0;
      const watch = driver.watch(() => (hints += 1));
      await driver.list(calm());
      const task = await bench.running(key(1));
      await bench.until('a hint of the start', async () => hints || undefined);
      const before = hints;
      await can.finish(task, 0);
      await bench.ended(driver, task.taskId);
      await bench.until('a hint of the end', async () => hints > before || undefined);
      await watch[Symbol.asyncDispose]();
      const after = hints;
      await bench.running(key(2));
      assert.equal(hints, after);
    },
  ),
  check('the traits can be planned with', [], async (bench) => {
    const { traits } = await bench.driver();
    assert.notEqual(traits.name, '');
    assert(traits.listLagMs >= 0 && Number.isFinite(traits.listLagMs));
    assert(traits.keyLifetimeMs > 0 && traits.endedRetentionMs > 0);
    const graceMs = 'fixed' in traits.grace ? traits.grace.fixed : traits.grace.maxMs;
    assert(graceMs > 0 && Number.isFinite(graceMs));
    assert(traits.launches.inFlight > 0 && traits.launches.perSecond > 0);
  }),
];
