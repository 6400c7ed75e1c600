/** The clauses of `usage`, which a driver may do without. */
import assert from 'node:assert/strict';
import type { Driver, TaskId, TaskUsage } from '../../launcher/driver.ts';
import { calm, check, type Check, key, NOW, rejectsWith } from './harness.ts';

function look(driver: Driver, ...ids: readonly TaskId[]): Promise<readonly TaskUsage[]> {
  assert(driver.usage !== undefined);
  return driver.usage(ids, calm());
}

export const usageChecks: readonly Check[] = [
  check('usage tells of each running task what it was asked for', [], async (bench) => {
    const driver = await bench.driver();
    if (driver.usage === undefined) return;
    const { taskId } = await bench.running(key(1));
    const other = await bench.running(key(2));
    const first = await bench.until('its counters', async () => (await look(driver, taskId))[0]);
    assert.equal(first.taskId, taskId);
    assert(first.memoryBytes > 0 && Number.isFinite(first.memoryBytes), 'it holds memory');
    assert(
      first.cpuSeconds >= 0 && Number.isFinite(first.cpuSeconds),
      'it has used no less than 0',
    );
    await bench.harness.pause();
    const both = await look(driver, other.taskId, taskId);
    assert.equal(both.length, 2);
    const later = both.find((each) => each.taskId === taskId);
    assert((later?.cpuSeconds ?? 0) >= first.cpuSeconds, 'processor time never falls');
  }),
  check('usage leaves out what does not run, is unknown or of others', [], async (bench) => {
    const driver = await bench.driver();
    if (driver.usage === undefined) return;
    const task = await bench.running(key(1));
    const theirs = await bench.running(key(2), { deployment: 'theirs' });
    const ended = await bench.running(key(3));
    await driver.stop(ended.taskId, NOW, calm());
    await bench.ended(driver, ended.taskId);
    const strange = ['nothing', `${task.taskId}0`, '../elsewhere', ''] as TaskId[];
    const found = await look(driver, ...strange, theirs.taskId, ended.taskId, task.taskId);
    assert.deepEqual(
      found.map(({ taskId }) => taskId),
      [task.taskId],
    );
  }),
  check('an aborted usage rejects', [], async (bench) => {
    const driver = await bench.driver();
    if (driver.usage === undefined) return;
    const { taskId } = await bench.running(key(1));
    const usage = driver.usage([taskId], AbortSignal.abort());
    await bench.soon('usage', rejectsWith(usage));
  }),
];
