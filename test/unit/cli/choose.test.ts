import { expect, it } from 'vitest';
import type { RoomRow, TaskRow } from '../../../launcher/admin/ports.ts';
import { choose } from '../../../launcher/cli/choose.ts';
import { sentence } from '../../../launcher/cli/stop.ts';

const room = (name: string, sid: string, state: RoomRow['state'] = 'serving') =>
  ({ name, sid, state, reason: 'a reason', task: null }) as RoomRow;
const task = (key: string | null, standby: TaskRow['standby'] = null) =>
  ({ key, taskId: 'id', standby, phase: 'running' }) as TaskRow;
const ended = (key: string) => ({ ...task(key), phase: 'ended' }) as TaskRow;

const seen = {
  rooms: [
    room('lobby', 'RM_a'),
    room('r-RM_a-1', 'RM_b'),
    room('twice', 'RM_c', 'ending'),
    room('twice', 'RM_d'),
    room('RM_d', 'RM_e'),
  ],
  tasks: [
    ended('s-default-0-00000000'),
    ended('s-default-0-00000002'),
    ended('r-RM_o-1'),
    task('r-RM_a-1'),
    task('r-RM_a-2'),
    task('s-default-0-00000001', 'ready'),
    task(null),
  ],
};

it.each([
  ['lobby', { kind: 'room', room: { sid: 'RM_a' } }],
  ['RM_a', { kind: 'room', room: { sid: 'RM_a' } }],
  // A client cannot take a task's place by the name of its room.
  ['r-RM_a-1', { kind: 'task', task: { key: 'r-RM_a-1' } }],
  // Nor another room's, by its sid.
  ['RM_d', { kind: 'room', room: { sid: 'RM_d' } }],
  ['r-RM_a-2', { kind: 'task', task: { key: 'r-RM_a-2' } }],
  // Standbys come and go under one beginning.
  ['s-default-0', { kind: 'task', task: { key: 's-default-0-00000001' } }],
  ['s-default-0-00000000', { kind: 'task', task: { key: 's-default-0-00000000' } }],
  ['r-RM_o', { kind: 'task', task: { key: 'r-RM_o-1' } }],
])('%s means one thing', (word, meant) => {
  expect(choose(word, seen)).toMatchObject(meant);
});

it.each([
  ['twice', '"twice" means 2 rooms: RM_c (ending), RM_d (serving); name one by its sid'],
  ['r-RM_a', '"r-RM_a" means 2 tasks: r-RM_a-1, r-RM_a-2; give more of the key'],
  [
    'no\u001bne',
    'there is no room or task "no\\u001bne"; room-launcher rooms and room-launcher tasks show what there is',
  ],
  [
    '',
    'there is no room or task ""; room-launcher rooms and room-launcher tasks show what there is',
  ],
])('%j is refused', (word, message) => {
  expect(() => choose(word, seen)).toThrow(message);
});

it('names some of many', () => {
  const tasks = Array.from({ length: 7 }, (_, i) => task(`r-RM_x-${i + 1}`));
  expect(() => choose('r-', { rooms: [], tasks })).toThrow(
    '"r-" means 7 tasks: r-RM_x-1, r-RM_x-2, r-RM_x-3, r-RM_x-4, r-RM_x-5, and 2 more; give more of the key',
  );
});

it('what a stop did is told', () => {
  const lobby = { kind: 'room', room: room('lobby', 'RM_a') } as const;
  expect(sentence(lobby, 'accepted', [task('r-RM_a-1')])).toBe(
    'Room "lobby" (RM_a): r-RM_a-1 is being ended, and nothing more is launched for it until it is over.',
  );
  expect(sentence(lobby, 'accepted', [])).toContain('nothing runs for it, and nothing more');
  expect(sentence(lobby, 'nothing-to-stop', [])).toBe(
    'Room "lobby" (RM_a) has nothing to stop: a reason.',
  );
  const standby = choose('s-', seen);
  expect(sentence(standby, 'accepted', [])).toContain('another standby takes its place');
  expect(sentence(standby, 'nothing-to-stop', [])).toContain('has ended already');
});
