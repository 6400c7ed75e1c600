import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { standbyKey } from '../../../launcher/core/key.ts';
import { LaunchLimits } from '../../../launcher/core/limits.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';

const BOUNDS = { inFlight: 2, perSecond: 3, perNamePerMinute: 4 };
/** A launch that is never heard of again counts as under way for this long. */
const START_MS = 15_000;
const T = 1_000_000;

let limits: LaunchLimits;
const sidOf = (room: number | string) => `RM_${room}` as RoomSid;
const turn = (room: number | string, atMs = T) => limits.turn(sidOf(room), `name ${room}`, atMs);
const send = (room: number | string, atMs = T) => limits.sent(sidOf(room), `name ${room}`, atMs);
const fill = (count: number, atMs = T) => {
  for (let room = 0; room < count; room++) send(room, atMs);
};

beforeEach(() => {
  limits = new LaunchLimits(BOUNDS);
});

describe('launches under way', () => {
  it('wait for one to settle', () => {
    fill(2);
    expect(turn('next')).toMatchObject({ go: false, untilMs: T + START_MS });
    expect(limits.next()).toBe('name next');
    expect(limits.settled(sidOf(0))).toBe(true);
    expect(limits.settled(sidOf(0))).toBe(false);
    expect(turn('next')).toEqual({ go: true });
  });

  it('count no more once they had time enough', () => {
    fill(2);
    expect(turn('next', T + START_MS - 1).go).toBe(false);
    expect(turn('next', T + START_MS).go).toBe(true);
  });

  it('wait for the oldest, also when an older room was launched again', () => {
    fill(2);
    send(0, T + 5_000);
    expect(turn('next', T + 5_000)).toMatchObject({ untilMs: T + START_MS });
  });

  it('do not hold up a repeat of their own', () => {
    fill(2);
    expect(turn(1)).toEqual({ go: true });
  });
});

describe('the line', () => {
  it('keeps its order, and closes up when a room leaves it', () => {
    fill(2);
    for (const room of ['a', 'b', 'c']) expect(turn(room).go).toBe(false);
    expect(limits.leave(sidOf('a'))).toBe(true);
    expect(limits.leave(sidOf('a'))).toBe(false);
    limits.settled(sidOf(0));
    expect(turn('c')).toMatchObject({ go: false, untilMs: null });
    expect(limits.next()).toBe('name b');
    expect(turn('b')).toEqual({ go: true });
  });

  it('is empty without rooms', () => {
    expect(limits.next()).toBeNull();
  });
});

describe('rates', () => {
  it('per second', () => {
    for (let room = 0; room < 3; room++) {
      send(room, T + room);
      limits.settled(sidOf(room));
    }
    expect(turn('next', T + 10)).toMatchObject({ go: false, untilMs: T + 1_000 });
    expect(turn('next', T + 1_000)).toEqual({ go: true });
  });

  it('per room name, without holding up the line', () => {
    for (let life = 0; life < 4; life++) {
      limits.sent(sidOf(life), 'again', T + life * 2_000);
      limits.settled(sidOf(life));
    }
    const again = limits.turn(sidOf('x'), 'again', T + 10_000);
    expect(again).toMatchObject({ go: false, untilMs: T + 60_000 });
    expect(turn('other', T + 10_000)).toEqual({ go: true });
    limits.prune(T + 10_000);
    expect(limits.turn(sidOf('x'), 'again', T + 59_999).go).toBe(false);
    limits.leave(sidOf('other'));
    expect(limits.turn(sidOf('x'), 'again', T + 60_000).go).toBe(true);
  });
});

const key = (slot: number) => standbyKey({ profile: 'default', slot }, 0);

describe('standbys', () => {
  const wide = new LaunchLimits({ ...BOUNDS, inFlight: 7 });

  it('start beside launches of rooms, half as many at once', () => {
    for (let slot = 0; slot < 3; slot++) {
      expect(wide.turnOfStandby(T + slot * 1_000).go).toBe(true);
      wide.standbySent(key(slot), T + slot * 1_000);
    }
    expect(wide.turnOfStandby(T + 5_000)).toMatchObject({ go: false, untilMs: T + START_MS });
    expect(wide.turnOfStandby(T + START_MS).go).toBe(true);
    expect(wide.standbySettled(key(1))).toBe(true);
    expect(wide.standbySettled(key(1))).toBe(false);
    expect(wide.turnOfStandby(T + 5_000).go).toBe(true);
  });

  it('are one at least, and never in the way of a room', () => {
    expect(limits.turnOfStandby(T).go).toBe(true);
    limits.standbySent(key(0), T);
    expect(limits.turnOfStandby(T).go).toBe(false);
    for (let room = 0; room < 2; room++) {
      expect(turn(room).go).toBe(true);
      send(room);
    }
  });

  it('wait while a room stands in line', () => {
    fill(2);
    turn('next', T + 2_000);
    expect(limits.turnOfStandby(T + 2_000)).toMatchObject({ go: false, untilMs: null });
    limits.leave(sidOf('next'));
    expect(limits.turnOfStandby(T + 2_000).go).toBe(true);
  });

  it('take what rooms leave of the rate, and take none of it from them', () => {
    for (let slot = 0; slot < 2; slot++) {
      limits.standbySent(key(slot), T + slot);
      limits.standbySettled(key(slot));
    }
    send(0, T + 2);
    expect(limits.turnOfStandby(T + 10)).toMatchObject({ go: false, untilMs: T + 1_000 });
    send(1, T + 3);
    limits.settled(sidOf(1));
    expect(turn(2, T + 10).go).toBe(true);
  });

  it('that are offered count for the name of their room, and end its wait', () => {
    fill(2);
    turn('next');
    limits.assigned(sidOf('next'), 'name next', T);
    expect(limits.next()).toBeNull();
    for (let life = 0; life < 3; life++) limits.assigned(sidOf(`next${life}`), 'name next', T);
    const again = limits.turnOfName(sidOf('x'), 'name next', T);
    expect(again).toMatchObject({ go: false, untilMs: T + 60_000 });
  });
});

it('whatever comes, bounds are kept, nobody overtakes, and everybody gets a turn', () => {
  const step = fc.oneof(
    fc.constant('arrive' as const),
    fc.constant('settle' as const),
    fc.integer({ min: 1, max: 2_000 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      limits = new LaunchLimits(BOUNDS);
      const sentAt = new Map<number, number>();
      const settled = new Set<number>();
      let arrived = 0;
      let nowMs = T;
      const within = (ms: number) => [...sentAt].filter(([, atMs]) => atMs > nowMs - ms);
      const tryAll = () => {
        for (let room = 0; room < arrived; room++) {
          if (sentAt.has(room)) continue;
          const answer = turn(room, nowMs);
          if (!answer.go) {
            if (answer.untilMs !== null) expect(answer.untilMs).toBeGreaterThan(nowMs);
            continue;
          }
          expect(sentAt.size).toBe(room);
          send(room, nowMs);
          sentAt.set(room, nowMs);
          const underWay = within(START_MS).filter(([sent]) => !settled.has(sent));
          expect(underWay.length).toBeLessThanOrEqual(BOUNDS.inFlight);
          expect(within(1_000).length).toBeLessThanOrEqual(BOUNDS.perSecond);
        }
      };
      for (const now of steps) {
        if (now === 'arrive') arrived += 1;
        else if (now !== 'settle') nowMs += now;
        else {
          const [oldest] = [...sentAt.keys()].filter((room) => !settled.has(room));
          if (oldest !== undefined) limits.settled(sidOf(oldest));
          if (oldest !== undefined) settled.add(oldest);
        }
        tryAll();
      }
      for (let round = 0; round < arrived; round++) {
        nowMs += START_MS;
        tryAll();
      }
      expect(sentAt.size).toBe(arrived);
    }),
  );
});
