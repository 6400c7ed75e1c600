import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptOf, parseRoomKey, roomKey } from '../../../launcher/core/key.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';
import { engineName, isTaskKey, type TaskKey } from '../../../launcher/driver.ts';

/** Every sid that LiveKit could give: also ones that look like parts of a key. */
const sid = fc.stringMatching(/^[A-Za-z0-9_]{1,30}$/).map((text) => text as RoomSid);
const attempt = fc.integer({ min: 1, max: 999_999 });

describe('a task key of a room', () => {
  it('gives back its sid and attempt, whatever the sid looks like', () => {
    fc.assert(
      fc.property(sid, attempt, (of, n) => {
        const key = roomKey(of, n);
        expect(parseRoomKey(key)).toEqual({ sid: of, attempt: n });
        expect(attemptOf(key)).toBe(n);
      }),
    );
  });

  it.each(['r', 'r_1', '_', '1', 's_default_0', 'RM_'.padEnd(30, 'x')])('sid %s', (text) => {
    const of = text as RoomSid;
    expect(parseRoomKey(roomKey(of, 7))).toEqual({ sid: of, attempt: 7 });
  });

  it('is the same for the same room and attempt alone', () => {
    fc.assert(
      fc.property(sid, attempt, sid, attempt, (a, n, b, m) => {
        expect(roomKey(a, n) === roomKey(b, m)).toBe(a === b && n === m);
      }),
    );
  });

  it('fits every engine, with the longest deployment too', () => {
    fc.assert(
      fc.property(sid, attempt, (of, n) => {
        const name = engineName('d'.repeat(24), roomKey(of, n));
        expect(name.length).toBeLessThanOrEqual(64);
        expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);
      }),
    );
  });

  it.each([
    ['', 1],
    ['a-b', 1],
    ['a/../b', 1],
    ['a b', 1],
    ['ü', 1],
    ['x'.repeat(31), 1],
    ['RM_a', 0],
    ['RM_a', -1],
    ['RM_a', 1.5],
    ['RM_a', 1_000_000],
  ])('is never made of sid "%s" and attempt %d', (of, n) => {
    expect(() => roomKey(of as RoomSid, n)).toThrow('bug');
  });
});

describe('other texts', () => {
  it('a key of a standby names no room', () => {
    const key = 's-default-0-12345678' as TaskKey;
    expect(isTaskKey(key)).toBe(true);
    expect(parseRoomKey(key)).toBeNull();
  });

  it.each(['', 'r-RM_a', 'r-RM_a-', 'r-RM_a-0', 'r-RM_a-01', 'r-RM_a-1 ', 'R-RM_a-1', 'r-a-b-1'])(
    '"%s" is no task key',
    (text) => expect(isTaskKey(text)).toBe(false),
  );
});
