import { describe, expect, it } from 'vitest';
import { goals } from '../../bench/goals.mjs';
import { GROUPS, LAUNCHER, WAYS } from '../../bench/names.mjs';
import { ROWS, type Row, row } from './samples.ts';

function goal(id: string, rows: readonly Row[] = ROWS) {
  return goals(rows, 2).find((one) => one.id === id);
}

describe('goals', () => {
  it('are ratios of medians', () => {
    expect(goal('P3')).toMatchObject({ reached: false, limit: '≤ 1.3' });
    expect(goal('P3')?.value).toBeCloseTo(600 / 350);
    expect(goal('P4')?.value).toBeCloseTo(2_400 / 7_000);
    expect(goal('P4')?.reached).toBe(true);
    expect(goal('P6')?.value).toBeCloseTo(0.12);
  });

  it("compare with the worker's cold processes once its pool is used up", () => {
    expect(goal('P2')?.value).toBeCloseTo(600 / 1_000);
  });

  it('take the worst p95 of the ends of all our containers, and need all of them', () => {
    const all = [WAYS.standbyBridge, WAYS.standbyHost, WAYS.coldBridge, WAYS.coldHost];
    const ends = all.map((name, at) => row(GROUPS.exit, name, 100, 100 + at));
    expect(goal('P9', ends)).toMatchObject({ value: 103, reached: true });
    expect(goal('P9', ends.slice(1))).toMatchObject({ value: Number.NaN, reached: null });
  });

  it('can be a least value', () => {
    const enough = row(...LAUNCHER.webhookRate, 6_000);
    expect(goal('P7, rate', [enough])?.reached).toBe(true);
    expect(goal('P7, rate', [{ ...enough, values: [5_999] }])?.reached).toBe(false);
  });

  it('without samples are neither reached nor missed', () => {
    expect(goals([], 2).filter(({ reached }) => reached !== null)).toEqual([]);
  });
});
