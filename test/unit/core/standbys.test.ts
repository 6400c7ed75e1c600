/** What is remembered of standbys and of the trouble with them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { standbyKey } from '../../../launcher/core/key.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';
import { Standbys } from '../../../launcher/core/standbys.ts';

const A = 'RM_a' as RoomSid;
const T = 1_000_000;
const key = (slot: number, profile = 'default') => standbyKey({ profile, slot }, 0);

let standbys: Standbys;
beforeEach(() => {
  standbys = new Standbys();
});

describe('standbys', () => {
  it("are this process's own only when it made their keys first", () => {
    standbys.noteMade(key(0));
    standbys.note(key(1));
    standbys.noteMade(key(1));
    expect(standbys.note(key(0)).made).toBe(true);
    expect(standbys.note(key(1)).made).toBe(false);
    expect(standbys.note(key(1))).toMatchObject({ profile: 'default', slot: 1 });
  });

  it('are found by profile until they are in the room that has them, and forgotten wholly', () => {
    for (const made of [key(0), key(1)]) standbys.noteMade(made);
    for (const taken of [key(0), key(1), key(2), key(0, 'other')]) {
      standbys.take(standbys.note(taken), A, T, 0);
    }
    const joining = () => standbys.joining('default').map((each) => each.key);
    expect(joining()).toEqual([key(0), key(1)]);
    standbys.noteJoined(key(0));
    expect(joining()).toEqual([key(1)]);
    for (const one of [key(0), key(1), key(2)]) standbys.forget(one);
    expect(joining()).toEqual([]);
    expect([...standbys.of(A)]).toEqual([key(0, 'other')]);
    standbys.forget(key(0, 'other'));
    expect([...standbys.sids()]).toEqual([]);
  });

  it('rest for five seconds after a no', () => {
    const standby = standbys.note(key(0));
    standbys.rest(standby, T);
    expect(standby.restsUntilMs).toBe(T + 5_000);
  });
});

describe('trouble with standbys', () => {
  it('counts failures in a row, per profile, until one takes a room', () => {
    standbys.noteFailure('default', 'exit 1', T);
    standbys.noteFailure('default', 'exit 2', T + 1);
    expect(standbys.trouble('default', T + 1)).toEqual({
      failures: 2,
      atMs: T + 1,
      reason: 'exit 2',
    });
    expect(standbys.trouble('other', T)).toBeNull();
    standbys.noteSuccess('default');
    expect(standbys.trouble('default', T)).toBeNull();
  });

  it('is over after five minutes without one', () => {
    standbys.noteFailure('default', 'exit 1', T);
    expect(standbys.trouble('default', T + 299_999)).not.toBeNull();
    expect(standbys.trouble('default', T + 300_000)).toBeNull();
    standbys.noteFailure('default', 'exit 1', T + 300_000);
    expect(standbys.trouble('default', T + 300_000)?.failures).toBe(1);
  });
});
