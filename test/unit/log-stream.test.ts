/** What a task wrote, over the admin listener, from the engine in memory. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAdminListener, type AdminListener } from '../../launcher/admin/listener.ts';
import type { AdminHost } from '../../launcher/admin/ports.ts';
import { DriverError, type Output, type TaskId } from '../../launcher/driver.ts';
import { memoryDriver, MemoryEngine } from '../../launcher/drivers/memory.ts';
import { untilAborted } from '../../launcher/lib/abort.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import { RecordedLog } from '../fakes/log.ts';
import { waitFor } from '../support/wait.ts';

const KEY = 'r-RM_1-1';
let engine: MemoryEngine;
let taskId: TaskId;
let listener: AdminListener;
let fault: Error | null;
let hangs: boolean;
let signals: AbortSignal[];
const readers: AbortController[] = [];

beforeEach(async () => {
  engine = new MemoryEngine({ nowMs: () => 1_000 });
  const task = engine.create('ours', KEY, { template: 'agent', env: {} });
  engine.begin(task);
  taskId = task.id;
  fault = null;
  signals = [];
  const driver = memoryDriver(engine, { deployment: 'ours' });
  hangs = false;
  const logs: AdminHost['logs'] = async (key, options, signal) => {
    signals.push(signal);
    if (hangs) await untilAborted(signal);
    if (fault !== null) throw fault;
    return key === KEY ? driver.logs!(taskId, options, signal) : null;
  };
  listener = await createAdminListener({
    listen: { host: '127.0.0.1', port: 0 },
    host: { logs } as unknown as AdminHost,
    log: new RecordedLog(),
    clock: systemClock,
  });
});
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.abort();
  await listener.close();
});

function ask(query = '', key = KEY): Promise<Response> {
  const reader = new AbortController();
  readers.push(reader);
  const { signal } = reader;
  const url = `http://127.0.0.1:${listener.port}/api/tasks/${key}/logs${query}`;
  return fetch(url, { signal });
}

async function* broken(): Output {
  yield 'one\n';
  throw new DriverError('unavailable', 'the engine went away');
}

async function reading(answer: Response) {
  const heard = { text: '', ended: false };
  void (async () => {
    for await (const piece of answer.body!) heard.text += Buffer.from(piece).toString();
    heard.ended = true;
  })().catch(() => {});
  return heard;
}

test('the last lines are plain text that nobody caches', async () => {
  for (const line of ['one', 'two', 'three']) engine.write(taskId, line);
  const answer = await ask('?tail=2');
  expect(await answer.text()).toBe('two\nthree\n');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; charset=utf-8$/i);
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await (await ask('?tail=0')).text()).toBe('');
});

test('a silent task is followed from the first moment, to its end', async () => {
  const heard = await reading(await ask('?follow=true'));
  engine.write(taskId, 'one');
  await waitFor('the line', () => heard.text === 'one\n');
  engine.finish(taskId, 0);
  await waitFor('the end', () => heard.ended);
  expect(signals[0]?.aborted).toBe(true);
});

test('the engine is left alone when the reader goes', async () => {
  await ask('?follow=true');
  readers[0]?.abort();
  await waitFor('the end', () => signals[0]?.aborted === true);
  expect(engine.watchers.size).toBe(0);
});

test('an engine that does not answer is left alone too, when the reader goes', async () => {
  hangs = true;
  const answer = ask('?follow=true');
  await waitFor('the request', () => signals.length === 1);
  readers[0]?.abort();
  await expect(answer).rejects.toThrow(/abort/);
  await waitFor('the end', () => signals[0]?.aborted === true);
});

test('followed output ends when the listener closes', async () => {
  const heard = await reading(await ask('?follow=true'));
  await listener.close();
  await waitFor('the end', () => heard.ended);
});

test('output that breaks off says so', async () => {
  const host = { logs: () => Promise.resolve(broken()) } as unknown as AdminHost;
  const listen = { host: '127.0.0.1', port: 0 };
  const other = await createAdminListener({
    listen,
    host,
    log: new RecordedLog(),
    clock: systemClock,
  });
  try {
    const answer = await fetch(`http://127.0.0.1:${other.port}/api/tasks/${KEY}/logs`);
    expect(await answer.text()).toBe(
      'one\n\nroom-launcher: the output breaks off: the engine went away\n',
    );
  } finally {
    await other.close();
  }
});

test.each([
  ['?tail=-1', 400, 'tail is "-1": it must be a number of lines from 0 to 10000'],
  ['?tail=10001', 400, 'tail is "10001": it must be a number of lines from 0 to 10000'],
  ['?follow=yes', 400, 'follow is "yes": it must be true or false'],
])('%s answers %i', async (query, status, error) => {
  const answer = await ask(query);
  expect([answer.status, await answer.json()]).toEqual([status, { error }]);
});

test('an unknown task, an engine without output and one that is away are told apart', async () => {
  expect((await ask('', 'r-RM_2-1')).status).toBe(404);
  fault = new DriverError('invalid', 'it is elsewhere');
  const elsewhere = await ask();
  expect([elsewhere.status, await elsewhere.json()]).toEqual([501, { error: 'it is elsewhere' }]);
  fault = new DriverError('unavailable', 'the engine is away');
  expect((await ask()).status).toBe(502);
});

test('there are only so many at once, and one that ended makes room', async () => {
  const all = await Promise.all(Array.from({ length: 64 }, () => ask('?follow=true')));
  expect(all.every(({ status }) => status === 200)).toBe(true);
  expect((await ask('?follow=true')).status).toBe(429);
  engine.finish(taskId, 0);
  await waitFor('the ends', () => signals.every(({ aborted }) => aborted));
  expect((await ask()).status).toBe(200);
});
