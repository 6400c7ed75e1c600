/** The clauses of `logs`, for the drivers that have it. */
import assert from 'node:assert/strict';
import type { Driver, ObservedTask, Output, TaskId } from '../../launcher/driver.ts';
import { calm, check, type Check, key } from './harness.ts';

const ALL = 1_000;

/** What a task has written so far, last lines first cut; null: the driver does not know it. */
async function read(driver: Driver, taskId: TaskId, tail = ALL): Promise<string | null> {
  const output = await driver.logs?.(taskId, { tail, follow: false }, calm());
  return output ? textOf(output) : null;
}

async function textOf(output: Output): Promise<string> {
  let text = '';
  for await (const piece of output) text += piece;
  return text;
}

/** Follows a task's output; `text` grows, and `over` resolves at its end. */
async function following(driver: Driver, { taskId }: ObservedTask, signal = calm()) {
  const output = await driver.logs?.(taskId, { tail: ALL, follow: true }, signal);
  const heard = { text: '', over: Promise.resolve() };
  heard.over = (async () => {
    for await (const piece of output ?? []) heard.text += piece;
  })();
  heard.over.catch(() => {});
  return heard;
}

export const outputChecks: readonly Check[] = [
  check('output is what both streams got, cut to its last lines', ['write'], async (bench, can) => {
    const task = await bench.running(key(1));
    await can.write(task, 'stdout', 'first');
    await can.write(task, 'stderr', 'second ü');
    await can.write(task, 'stdout', 'third');
    const driver = await bench.driver();
    await bench.until('the lines', async () =>
      (await read(driver, task.taskId))?.includes('first\nsecond ü\nthird\n') ? true : undefined,
    );
    assert.equal(await read(driver, task.taskId, 2), 'second ü\nthird\n');
    assert.equal(await read(driver, task.taskId, 0), '');
  }),
  check('output is followed until the task ends', ['write', 'finish'], async (bench, can) => {
    const task = await bench.running(key(1));
    const driver = await bench.driver();
    const heard = await following(driver, task);
    for (const line of ['one', 'two']) {
      await can.write(task, 'stdout', line);
      await bench.until(line, async () => heard.text.includes(`${line}\n`) || undefined);
    }
    await can.finish(task, 0);
    await bench.ended(driver, task.taskId);
    await bench.soon('output', heard.over);
    assert.equal(heard.text.split('one').length, 2, 'a line came twice');
  }),
  check(
    'an ended task has its output until it is removed',
    ['write', 'finish'],
    async (bench, can) => {
      const task = await bench.running(key(1));
      await can.write(task, 'stdout', 'last words');
      await can.finish(task, 3);
      const driver = await bench.driver();
      await bench.ended(driver, task.taskId);
      assert.match((await read(driver, task.taskId)) ?? '', /last words\n$/);
      const heard = await following(driver, task);
      await bench.soon('output', heard.over);
      assert.match(heard.text, /last words\n$/);
      await driver.remove(task.taskId, calm());
      if (driver.traits.removes) assert.equal(await read(driver, task.taskId), null);
    },
  ),
  check(
    "there is no output of an unknown task, nor of another deployment's",
    ['write'],
    async (bench, can) => {
      const theirs = await bench.running(key(1), { deployment: 'theirs' });
      await can.write(theirs, 'stdout', 'theirs');
      const driver = await bench.driver();
      for (const id of [theirs.taskId, 'nothing', '..', '../elsewhere', '']) {
        assert.equal(await read(driver, id as TaskId), null, id);
      }
    },
  ),
  check('output that is followed ends soon after an abort', ['write'], async (bench, can) => {
    const task = await bench.running(key(1));
    const driver = await bench.driver();
    const caller = new AbortController();
    const heard = await following(driver, task, caller.signal);
    await can.write(task, 'stdout', 'one');
    await bench.until('one', async () => heard.text.includes('one') || undefined);
    caller.abort();
    await bench.soon('output', heard.over);
  }),
];
