import { expect, test } from 'vitest';
import { type Board, EMPTY, patchOf, RowCache } from '../../../launcher/admin/dashboard/board.ts';

const row = (id: string, html = id) => ({ id, html, find: id });
const board = (ids: readonly string[], more: Partial<Board> = {}): Board => ({
  ...EMPTY,
  lists: { rooms: ids.map((id) => row(id)) },
  ...more,
});

test('two states that are the same need no patch', () => {
  expect(patchOf(board(['a', 'b']), board(['a', 'b']))).toBeNull();
});

test('a row that changed is sent alone, without the order', () => {
  const after = board([], { lists: { rooms: [row('a'), row('b', 'new')] } });
  expect(patchOf(board(['a', 'b']), after)?.lists).toEqual({
    rooms: { rows: [['b', 'new', 'b']] },
  });
});

test.each([
  ['comes', ['a'], ['b', 'a'], [['b', 'b', 'b']]],
  ['goes', ['a', 'b'], ['b'], []],
  ['moves', ['a', 'b'], ['b', 'a'], []],
  ['is the last to go', ['a'], [], []],
])('a row that %s changes the order', (_what, before, order, rows) => {
  expect(patchOf(board(before), board(order))?.lists).toEqual({ rooms: { order, rows } });
});

test('parts are sent when they differ, usage when it was looked at anew', () => {
  const before = board([], { parts: { a: '1', b: '1' } });
  expect(patchOf(before, { ...before, parts: { a: '1', b: '2' } })?.parts).toEqual({ b: '2' });
  expect(patchOf(before, { ...before, usage: {} })).toMatchObject({ usage: {} });
});

function cache() {
  const rendered: string[] = [];
  const rows = new RowCache<{ id: string; at?: { ms: number } }>({
    id: ({ id }) => id,
    find: ({ id }) => id,
    html: (data) => {
      rendered.push(data.id);
      return JSON.stringify(data);
    },
  });
  return { rows, rendered };
}

test('a row is rendered anew only when what it is made of has changed', () => {
  const { rows, rendered } = cache();
  rows.rows([{ id: 'a', at: { ms: 1 } }, { id: 'b' }]);
  const [a] = rows.rows([{ id: 'a', at: { ms: 2 } }, { id: 'b' }]);
  expect(a?.html).toBe('{"id":"a","at":{"ms":2}}');
  rows.rows([{ id: 'a', at: { ms: 2 } }]);
  expect(rendered).toEqual(['a', 'b', 'a']);
  rows.rows([{ id: 'b' }]);
  expect(rendered.at(-1), 'forgotten with its row').toBe('b');
});

test('many new rows come in turns, the first ones first, and none is lost', () => {
  const { rows } = cache();
  const all = Array.from({ length: 450 }, (_, i) => ({ id: `r${i}` }));
  expect(rows.rows(all)).toHaveLength(200);
  expect(rows.behind).toBe(true);
  expect(rows.rows([{ id: 'newest' }, ...all])[0]?.id).toBe('newest');
  expect(rows.rows(all).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
  expect(rows.behind).toBe(false);
});
