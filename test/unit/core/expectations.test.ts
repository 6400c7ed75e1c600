import { beforeEach, describe, expect, it } from 'vitest';
import { Expectations } from '../../../launcher/core/expectations.ts';
import { roomKey } from '../../../launcher/core/key.ts';
import type { RoomSid } from '../../../launcher/core/room.ts';
import { SID, task } from './plan-world.ts';

const KEY = roomKey(SID, 1);
const ACCEPTED_AT = 1_000;
const LAG = 500;

let expectations: Expectations;
const keys = () => [...expectations.keys()];
const accept = (attempt = 1) => {
  const accepted = task(attempt, 'starting');
  expectations.accepted(accepted, accepted.key, ACCEPTED_AT);
};

beforeEach(() => {
  expectations = new Expectations();
});

describe('a launch is awaited', () => {
  it.each<[what: string, act: () => void, awaited: boolean]>([
    ['never asked for', () => {}, false],
    ['in flight', () => expectations.sent(KEY), true],
    ['accepted', () => accept(), true],
    ['refused', () => expectations.refused(KEY, true), false],
    ['refused unseen', () => expectations.refused(KEY, false), false],
    ['without an answer', () => expectations.unknown(KEY), true],
  ])('%s', (_what, act, awaited) => {
    if (_what !== 'never asked for') expectations.sent(KEY);
    act();
    expect(expectations.awaits(KEY)).toBe(awaited);
  });

  it('without an answer, until a list shows it', () => {
    expectations.sent(KEY);
    expectations.unknown(KEY);
    expectations.settle([], ACCEPTED_AT + 10 * LAG, LAG);
    expect(expectations.awaits(KEY)).toBe(true);
    expectations.settle([task(1, 'running')], ACCEPTED_AT + 10 * LAG, LAG);
    expect(expectations.awaits(KEY)).toBe(false);
  });

  it('without an answer, until the engine that looked refuses it', () => {
    expectations.unknown(KEY);
    expectations.sent(KEY);
    expectations.refused(KEY, false);
    expect(expectations.isUnknown(KEY)).toBe(true);
    expectations.refused(KEY, true);
    expect(expectations.awaits(KEY)).toBe(false);
  });

  it('without an answer, until its room is over', () => {
    expectations.unknown(KEY);
    expectations.unknown(roomKey('RM_other' as RoomSid, 1));
    expectations.forget(SID);
    expect(expectations.awaits(KEY)).toBe(false);
    expect(expectations.awaits(roomKey('RM_other' as RoomSid, 1))).toBe(true);
  });
});

describe('an accepted task', () => {
  it('stands in for the list until that shows it', () => {
    accept();
    expect(keys()).toEqual([KEY]);
    expect(expectations.settle([task(1, 'running')], ACCEPTED_AT, LAG)).toEqual([]);
    expect(keys()).toEqual([]);
  });

  it.each([
    ['before it was accepted', -1, []],
    ['within the lag', LAG, []],
    ['after the lag', LAG + 1, [KEY]],
  ])('that a list begun %s does not show', (_when, afterMs, lost) => {
    accept();
    expect(expectations.settle([], ACCEPTED_AT + afterMs, LAG)).toEqual(lost);
    expect(keys()).toEqual(lost.length > 0 ? [] : [KEY]);
  });

  it('is lost once only', () => {
    accept();
    expectations.settle([], ACCEPTED_AT + LAG + 1, LAG);
    expect(expectations.settle([], ACCEPTED_AT + LAG + 2, LAG)).toEqual([]);
  });

  it('is told by its key', () => {
    accept();
    expect(expectations.get(KEY)).toEqual(task(1, 'starting'));
    expect(expectations.get(roomKey(SID, 2))).toBeNull();
  });

  it('is not mixed up with a damaged one of the list', () => {
    accept();
    expectations.settle([{ ...task(1, 'running'), key: null }], ACCEPTED_AT, LAG);
    expect(keys()).toEqual([KEY]);
  });
});
