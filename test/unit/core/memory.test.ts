import { beforeEach, describe, expect, it } from 'vitest';
import { roomKey, standbyKey } from '../../../launcher/core/key.ts';
import { Memory } from '../../../launcher/core/memory.ts';
import type { LaunchTrouble } from '../../../launcher/core/remembered.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';
import { takeStandby } from '../../../launcher/core/standby-room.ts';
import { ROOM, SID, task } from './plan-world.ts';

const KEY = roomKey(SID, 1);
const OTHER = { ...ROOM, sid: 'RM_other' as RoomSid, name: 'other' };

let memory: Memory;
const room = () => memory.room(SID);

beforeEach(() => {
  memory = new Memory();
});

describe("another launcher's standbys", () => {
  const [ours, theirs] = [
    standbyKey({ profile: 'a', slot: 0 }, 0.1),
    standbyKey({ profile: 'a', slot: 1 }, 0.2),
  ];

  it('are unclaimed while one that may be alive has no room', () => {
    memory.standbys.noteMade(ours);
    expect(memory.someUnclaimed).toBe(false);
    memory.standbys.note(theirs);
    expect(memory.someUnclaimed).toBe(true);
    takeStandby(memory, theirs, SID, 100);
    expect(memory.someUnclaimed).toBe(false);
  });

  it('that have ended claim no room any more', () => {
    memory.standbys.note(theirs);
    memory.noteEnd(theirs, { verdict: 'failed', reason: 'exit 1' }, 100, 100);
    expect(memory.someUnclaimed).toBe(false);
  });
});

describe('rooms', () => {
  it('are absent from the first complete list without them to the newest', () => {
    memory.noteRooms([ROOM, OTHER], null, 100);
    memory.noteRooms([OTHER], null, 200);
    memory.noteRooms([OTHER], null, 300);
    expect(room()).toMatchObject({ lastListedAtMs: 100, absent: { firstMs: 200, lastMs: 300 } });
    memory.noteRooms([ROOM], null, 400);
    expect(room()).toMatchObject({ lastListedAtMs: 400, absent: null });
  });

  it('a list of one name says nothing about others', () => {
    memory.noteRooms([ROOM, OTHER], null, 100);
    memory.noteRooms([], ROOM.name, 200);
    expect(room().absent).toEqual({ firstMs: 200, lastMs: 200 });
    expect(memory.room(OTHER.sid).absent).toBeNull();
  });

  it('a list that arrives late changes nothing that a newer one showed', () => {
    memory.noteRooms([ROOM], null, 200);
    memory.noteRooms([], null, 100);
    expect(room().absent).toBeNull();
    memory.noteRooms([], null, 300);
    memory.noteRooms([ROOM], null, 100);
    expect(room()).toMatchObject({ lastListedAtMs: 200, absent: { firstMs: 300 } });
  });

  it('a list that arrives late does not bring a room back whose end a newer one showed', () => {
    memory.noteRooms([ROOM], null, 100);
    memory.noteFinished(SID, ROOM.name, 250);
    memory.noteRooms([], ROOM.name, 300);
    room().goneAtMs = 300;
    memory.noteRooms([ROOM], null, 200);
    expect(room()).toMatchObject({ goneAtMs: 300, againAtMs: null, absent: { lastMs: 300 } });
    memory.noteRooms([ROOM], null, 400);
    expect(room()).toMatchObject({ goneAtMs: null, againAtMs: 400, absent: null });
  });

  it('of one name are told by it, each life for itself', () => {
    const reborn = { ...ROOM, sid: 'RM_reborn' as RoomSid };
    memory.noteRooms([ROOM], null, 100);
    memory.noteRooms([reborn], ROOM.name, 200);
    expect(memory.named(ROOM.name).map(({ sid }) => sid)).toEqual([SID, reborn.sid]);
    expect(memory.named('nobody')).toEqual([]);
    expect(room().absent).not.toBeNull();
  });

  it('a nudge is dated until a list shows the room', () => {
    memory.noteNudge(SID, ROOM.name, true, 50);
    memory.noteNudge(SID, ROOM.name, true, 60);
    expect(room().nudgedAtMs).toBe(50);
    memory.noteRooms([ROOM], null, 100);
    memory.noteNudge(SID, ROOM.name, true, 110);
    expect(room().nudgedAtMs).toBeNull();
  });

  it('are freed with their tasks and names, and returned', () => {
    memory.noteRooms([ROOM, OTHER], null, 100);
    memory.task(KEY);
    expect(memory.prune(({ sid }) => sid === SID).map(({ sid }) => sid)).toEqual([SID]);
    expect([...memory.rooms.keys()]).toEqual([OTHER.sid]);
    expect(memory.tasks.size).toBe(0);
    expect(memory.named(ROOM.name)).toEqual([]);
  });
});

const trouble = (attempt: number): LaunchTrouble => ({
  attempt,
  outcome: 'unknown',
  retry: 'same-key',
  pulling: false,
  detail: '',
  count: 1,
  firstAtMs: 0,
  atMs: 0,
});

describe('tasks', () => {
  it('raise the highest attempt, never lower it', () => {
    memory.noteTasks([task(3, 'ended')], 100);
    memory.noteTasks([task(1, 'ended')], 200);
    expect(room().highestAttempt).toBe(3);
    expect([...room().keys]).toEqual([roomKey(SID, 3), KEY]);
  });

  it.each([
    [1, true],
    [2, false],
    [3, false],
  ])('listed attempt %d leaves the trouble of attempt 2: %s', (attempt, stays) => {
    room().trouble = trouble(2);
    memory.noteTasks([task(attempt, 'starting')], 100);
    expect(room().trouble !== null).toBe(stays);
  });

  it('run from their first sight as running', () => {
    memory.noteTasks([task(1, 'starting')], 100);
    expect(memory.task(KEY).running).toBeNull();
    memory.noteTasks([task(1, 'running')], 200);
    memory.noteTasks([task(1, 'running')], 300);
    expect(memory.task(KEY).running).toEqual({ atMs: 200, blindMs: 0 });
  });

  it('that are damaged or a standby touch no room', () => {
    memory.noteTasks([{ ...task(1, 'running'), key: null }], 100);
    expect(memory.rooms.size).toBe(0);
  });

  it('that vanished have failed, unless their end was seen', () => {
    memory.task(KEY).judged = { verdict: 'served', reason: 'seen', endedAtMs: 1, atMs: 1 };
    memory.noteVanished([KEY, roomKey(SID, 2)], 100);
    expect(memory.task(KEY).judged?.verdict).toBe('served');
    expect(memory.task(roomKey(SID, 2)).judged).toMatchObject({
      verdict: 'failed',
      endedAtMs: 100,
    });
  });

  it('a leave of a task that nobody knows is not kept', () => {
    memory.noteLeave(KEY, 1, 100);
    expect(memory.tasks.size).toBe(0);
    memory.task(KEY);
    memory.noteLeave(KEY, 1, 100);
    expect(memory.task(KEY).leave).toEqual({ atMs: 100, reason: 1 });
  });
});

describe('sightings', () => {
  it('count looks without an agent that was there, until it is back', () => {
    memory.noteAgent(SID, null, [KEY], 100, 100);
    expect(memory.task(KEY)).toMatchObject({ sighted: false, missing: null });
    memory.noteAgent(SID, KEY, [KEY], 200, 200);
    memory.noteLeave(KEY, 2, 250);
    memory.noteAgent(SID, null, [KEY], 300, 300);
    memory.noteAgent(SID, null, [KEY], 400, 400);
    expect(memory.task(KEY).missing).toEqual({ sinceMs: 300, looks: 2, blindMs: 0 });
    memory.noteAgent(SID, KEY, [KEY], 500, 500);
    expect(memory.task(KEY)).toMatchObject({ sighted: true, missing: null, leave: null });
  });

  it('by a look that began before the agent left do not show it back', () => {
    memory.noteAgent(SID, KEY, [KEY], 100, 100);
    memory.noteLeave(KEY, 1, 205);
    memory.noteAgent(SID, KEY, [KEY], 200, 210);
    expect(memory.task(KEY).leave).toEqual({ atMs: 205, reason: 1 });
  });
});

it('time in which LiveKit does not answer adds up, each outage once', () => {
  memory.noteLiveKit(true, 50);
  memory.noteLiveKit(false, 100);
  memory.noteLiveKit(false, 150);
  expect(memory.blindMs(SID, 160)).toBe(60);
  memory.noteLiveKit(true, 200);
  memory.noteLiveKit(true, 300);
  expect(memory.blindMs(SID, 400)).toBe(100);
  memory.noteLiveKit(false, 500);
  expect(memory.blindMs(SID, 510)).toBe(110);
});
