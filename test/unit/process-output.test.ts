/** The last lines of a task's log file, however long, and what comes after them. */
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TaskId } from '../../launcher/driver.ts';
import { logs } from '../../launcher/drivers/process/output.ts';

const KEY = 'r-RM_1-1';
const ID = `${KEY}.0123456789abcdef` as TaskId;
const CALM = new AbortController().signal;
let root: string;
const file = () => join(root, KEY, 'log');

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'room-launcher-output-'));
  await mkdir(join(root, KEY));
  await writeFile(join(root, KEY, 'task.json'), JSON.stringify({ id: ID, template: 'agent.js' }));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function tailOf(tail: number): Promise<string> {
  const output = await logs(root, ID, { tail, follow: false }, CALM);
  let text = '';
  for await (const piece of output ?? []) text += piece;
  return text;
}

test('a task that has not begun has none', async () => {
  expect(await tailOf(10)).toBe('');
});

test.each([
  ['', 3, ''],
  ['a\nb\nc\n', 0, ''],
  ['a\nb\nc\n', 1, 'c\n'],
  ['a\nb\nc\n', 2, 'b\nc\n'],
  ['a\nb\nc\n', 3, 'a\nb\nc\n'],
  ['a\nb\nc\n', 4, 'a\nb\nc\n'],
  ['a\nb', 1, 'b'],
  ['a\n\n\n', 2, '\n\n'],
  ['\n', 1, '\n'],
])('of %j the last %i are %j', async (text, tail, expected) => {
  await writeFile(file(), text);
  expect(await tailOf(tail)).toBe(expected);
});

test('lines longer than what is read at once', async () => {
  const long = 'ü'.repeat(100_000);
  await writeFile(file(), `first\n${long}\nlast\n`);
  expect(await tailOf(2)).toBe(`${long}\nlast\n`);
  expect(await tailOf(3)).toBe(`first\n${long}\nlast\n`);
});

test('what comes is read on, from a file that was not there', async () => {
  const reader = new AbortController();
  const output = await logs(root, ID, { tail: 10, follow: true }, reader.signal);
  let text = '';
  let wrote = writeFile(file(), 'one\n');
  for await (const piece of output ?? []) {
    text += piece;
    if (text === 'one\n') wrote = appendFile(file(), 'two\n');
    if (text === 'one\ntwo\n') reader.abort();
  }
  await wrote;
  expect(text).toBe('one\ntwo\n');
});
