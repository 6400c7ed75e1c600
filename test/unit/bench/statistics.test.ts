import { describe, expect, it } from 'vitest';
import { median, p95, steps } from '../../bench/statistics.mjs';
import { WORKER_BURST } from './samples.ts';

describe('statistics', () => {
  it('have the middle of samples in any order', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('have what 95 % do not exceed', () => {
    expect(p95(Array.from({ length: 100 }, (_, index) => 100 - index))).toBe(95);
    expect(p95([7, 9])).toBe(9);
    expect(p95([])).toBeNaN();
  });

  it('have the steps between cold starts, not the step from warm to cold', () => {
    expect(steps(WORKER_BURST, 2)).toEqual([1_000, 1_100, 1_000, 1_100, 1_000]);
    expect(steps([500, 520], 2)).toEqual([]);
  });

  it('leave their samples as they are', () => {
    const values = [3, 1, 2];
    median(values);
    p95(values);
    steps(values, 0);
    expect(values).toEqual([3, 1, 2]);
  });
});
