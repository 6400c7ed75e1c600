import { Hono } from 'hono';
import { afterEach, expect, test } from 'vitest';
import { type Board, EMPTY } from '../../../launcher/admin/dashboard/board.ts';
import { Live } from '../../../launcher/admin/dashboard/live.ts';
import { systemClock } from '../../../launcher/lib/clock.ts';
import { RecordedLog } from '../../fakes/log.ts';
import { waitFor } from '../../support/wait.ts';

const closing = new AbortController();
const readers: AbortController[] = [];
afterEach(() => readers.splice(0).forEach((reader) => reader.abort()));

/** A page whose one part is `text`, and how often it was made. */
function page() {
  const state = { text: 'one', made: 0, fails: false };
  const changed = new Set<() => void>();
  const log = new RecordedLog();
  const live = new Live({
    board: (): Board => {
      state.made += 1;
      if (state.fails) throw new Error('a bug');
      return { ...EMPTY, parts: { only: state.text } };
    },
    subscribe: (call) => {
      changed.add(call);
      return () => changed.delete(call);
    },
    clock: systemClock,
    log,
    closing: closing.signal,
    version: 'v1',
  });
  const app = new Hono().get('/', (c) => live.stream(c, () => {}));
  const change = (text: string) => {
    state.text = text;
    for (const call of changed) call();
  };
  return { state, changed, live, app, log, change };
}

/** Reads on; gives what came so far, by kind. */
async function read(app: Hono) {
  const end = new AbortController();
  readers.push(end);
  const answer = await app.request('/', { signal: end.signal });
  const reader = answer.body!.getReader();
  let text = '';
  end.signal.addEventListener('abort', () => void reader.cancel());
  void (async () => {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += Buffer.from(part.value).toString();
    }
  })().catch(() => {});
  const told = () =>
    [...text.matchAll(/^event: (\w+)\ndata: (.*)$/gm)].map(([, kind, data = '']) => {
      const { parts, version } = JSON.parse(data) as { parts: unknown; version: string };
      return { kind, parts, version };
    });
  return { told, end };
}

test('the whole first, then what changes, made once for all who look', async () => {
  const { state, app, change } = page();
  const [a, b] = [await read(app), await read(app)];
  await waitFor('the whole', () => a.told().length === 1 && b.told().length === 1);
  expect(a.told()).toEqual([{ kind: 'whole', parts: { only: 'one' }, version: 'v1' }]);
  const madeBefore = state.made;
  for (const text of ['two', 'three', 'four']) change(text);
  await waitFor('the change', () => a.told().length > 1 && b.told().length > 1);
  expect(a.told()[1]).toEqual({ kind: 'patch', parts: { only: 'four' }, version: 'v1' });
  expect(b.told()[1]).toEqual(a.told()[1]);
  expect(state.made).toBe(madeBefore + 1);
});

test('nothing is made or listened to once nobody looks', async () => {
  const { changed, live, app } = page();
  const { told, end } = await read(app);
  await waitFor('the whole', () => told().length === 1);
  expect(changed.size).toBe(1);
  end.abort();
  await waitFor('the end', () => !live.watched && changed.size === 0);
});

test('a page that cannot be made is said in the log, and comes when it can', async () => {
  const { state, app, log, change } = page();
  const { told } = await read(app);
  await waitFor('the whole', () => told().length === 1);
  state.fails = true;
  change('two');
  await waitFor('the line', () => log.lines.some(({ level }) => level === 'error'));
  state.fails = false;
  change('three');
  await waitFor('the page', () => told().length === 2);
  expect(told()[1]?.parts).toEqual({ only: 'three' });
});

test('a browser that does not read gets the whole when it reads again, and nothing piles up', async () => {
  const { app, change, state } = page();
  const answer = await app.request('/');
  const reader = answer.body!.getReader();
  await reader.read();
  const big = 'x'.repeat(100_000);
  for (let i = 0; i < 14; i += 1) {
    const made = state.made;
    change(`${i}${big}`);
    await waitFor('the change to be made', () => state.made > made);
  }
  change('last');
  let text = '';
  const kinds = () => [...text.matchAll(/^event: (\w+)/gm)].map(([, kind]) => kind);
  while (!text.includes('"last"'))
    text += Buffer.from((await reader.read()).value ?? []).toString();
  await reader.cancel();
  expect(kinds().length).toBeLessThan(14);
  expect(kinds().filter((kind) => kind === 'whole')).toHaveLength(2);
});
