import { describe, expect, it } from 'vitest';
import { Figures } from '../../bench/figures.mjs';
import { burstsOf, planOf } from '../../bench/plan.mjs';
import { WAYS } from '../../bench/names.mjs';

describe('figures of a run', () => {
  it('have a row for each of whom a group was measured', () => {
    const figures = new Figures();
    for (const [name, value] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ] as const)
      figures.add('group', name, 'ms', value);
    expect(figures.rows()).toEqual([
      { group: 'group', name: 'a', unit: 'ms', values: [1, 3] },
      { group: 'group', name: 'b', unit: 'ms', values: [2] },
    ]);
  });

  it('keep bursts apart, each in its order', () => {
    const figures = new Figures();
    figures.addRun('group', 'a', 'ms', [3, 1]);
    figures.addRun('group', 'a', 'ms', [2]);
    expect(figures.rows()).toMatchObject([{ values: [3, 1, 2], runs: [[1, 3], [2]] }]);
  });

  it('refuse what is no number, and say whose it is', () => {
    expect(() => new Figures().add('group', 'a', 'ms', Number.NaN)).toThrow('a: group is NaN');
  });
});

describe('the plan of a run', () => {
  it('measures often enough, or hastily', () => {
    expect(planOf({ quick: false }).active).toBeGreaterThanOrEqual(15);
    expect(planOf({ quick: true })).toMatchObject({ hasty: true, active: 1 });
    expect(planOf({ quick: false, rounds: '3' }).active).toBe(3);
    expect(() => planOf({ quick: false, rounds: 'many' })).toThrow('--rounds many');
  });

  it('names ways that there are', () => {
    const named = burstsOf(planOf({ quick: false })).flatMap(
      ({ keys }: { keys: string[] }) => keys,
    );
    expect(named.filter((key: string) => !(key in WAYS))).toEqual([]);
  });
});
