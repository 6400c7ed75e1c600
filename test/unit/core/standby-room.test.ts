/** How standbys come to have rooms, lose them, and what is believed of what agents show. */
import { beforeEach, describe, expect, it } from 'vitest';
import { roomKey, standbyKey } from '../../../launcher/core/key.ts';
import { Memory } from '../../../launcher/core/memory.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';
import {
  noteAssigned,
  noteClaim,
  releaseStandby,
  takeStandby,
} from '../../../launcher/core/standby-room.ts';

const A = 'RM_a' as RoomSid;
const B = 'RM_b' as RoomSid;
const T = 1_000_000;
const OURS = standbyKey({ profile: 'default', slot: 0 }, 0);
const THEIRS = standbyKey({ profile: 'default', slot: 0 }, 0.5);

let memory: Memory;
beforeEach(() => {
  memory = new Memory();
  memory.standbys.noteMade(OURS);
  memory.standbys.note(THEIRS);
});

const roomsOf = () => [memory.sidOf(OURS), memory.sidOf(THEIRS)];
const claim = (sid: RoomSid, key = THEIRS) => noteClaim(memory, key, sid, T);

describe('a standby', () => {
  it("is its room's when it is taken, and nobody's when it is released", () => {
    takeStandby(memory, OURS, A, T);
    expect(roomsOf()).toEqual([A, null]);
    expect([...memory.standbys.of(A)]).toEqual([OURS]);
    expect([...memory.room(A).keys]).toEqual([OURS]);
    expect([...memory.standbys.idle.keys()]).toEqual([THEIRS]);
    expect(memory.servesSinceMs(OURS)).toBe(T);
    releaseStandby(memory, OURS);
    expect(roomsOf()).toEqual([null, null]);
    expect([...memory.standbys.sids(), ...memory.room(A).keys]).toEqual([]);
    expect(memory.standbys.idle.has(OURS)).toBe(true);
  });

  it("is the first launch of its room's run once it has taken its job", () => {
    takeStandby(memory, OURS, A, T);
    memory.standbys.noteFailure('default', 'exit 1', T);
    noteAssigned(memory, OURS);
    expect(memory.task(OURS).assigned).toBe(true);
    expect(memory.room(A).highestAttempt).toBe(1);
    expect(memory.standbys.trouble('default', T)).toBeNull();
  });

  it('of ours that says that it is on a job that it was not given can be offered nothing', () => {
    noteAssigned(memory, OURS);
    expect(memory.standbys.note(OURS).spent).not.toBeNull();
  });

  it("of another launcher's may be on any", () => {
    noteAssigned(memory, THEIRS);
    expect(memory.standbys.note(THEIRS).spent).toBeNull();
  });

  it('is forgotten with its room', () => {
    takeStandby(memory, OURS, A, T);
    memory.prune(({ sid }) => sid === A);
    expect(memory.standbys.get(OURS)).toBeUndefined();
    expect([...memory.standbys.sids()]).toEqual([]);
  });
});

describe('an agent that shows the key of a standby', () => {
  it("of another launcher's is believed", () => {
    claim(A);
    claim(A);
    expect(roomsOf()).toEqual([null, A]);
    expect(memory.task(THEIRS).assigned).toBe(true);
    expect(memory.standbys.note(THEIRS).contested).toBe(false);
  });

  it('of ours is not: this process knows where it is', () => {
    claim(A, OURS);
    expect(roomsOf()).toEqual([null, null]);
    takeStandby(memory, OURS, B, T);
    claim(A, OURS);
    expect(memory.sidOf(OURS)).toBe(B);
  });

  it('that nothing is known of is not', () => {
    const key = standbyKey({ profile: 'default', slot: 0 }, 0.9);
    claim(A, key);
    expect(memory.standbys.get(key)).toBeUndefined();
  });

  it.each([
    ['that took its job here', { launched: true, waitsHere: false }],
    ["of an earlier launcher's, which may have its job", { launched: false, waitsHere: true }],
  ])('is not believed beside a task of the room %s, but what it shows is left alone', (_, task) => {
    Object.assign(memory.task(roomKey(A, 1)), task);
    claim(A);
    expect(roomsOf()).toEqual([null, null]);
    expect(memory.standbys.note(THEIRS).shownAtMs).toBe(T);
  });

  it('is believed beside a task that was launched here and waits here for its job', () => {
    Object.assign(memory.task(roomKey(A, 1)), { launched: true, waitsHere: true });
    claim(A);
    expect(memory.sidOf(THEIRS)).toBe(A);
  });

  it("in two rooms is nobody's, for good", () => {
    claim(A);
    claim(B);
    expect(roomsOf()).toEqual([null, null]);
    claim(B);
    expect(roomsOf()).toEqual([null, null]);
    expect([...memory.room(A).keys, ...memory.room(B).keys]).toEqual([]);
  });
});
