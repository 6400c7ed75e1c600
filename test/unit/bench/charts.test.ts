import { describe, expect, it } from 'vitest';
import { charts } from '../../bench/charts.mjs';
import { WAYS } from '../../bench/names.mjs';
import { ROWS } from './samples.ts';

const drawn = charts(ROWS);

describe('charts of a run', () => {
  it('are of the start, each burst, and memory', () => {
    expect(Object.keys(drawn).toSorted()).toEqual([
      'burst-8.svg',
      'create-to-active.svg',
      'memory.svg',
    ]);
  });

  it.each(Object.entries(drawn))(
    '%s tells what it shows, and has no broken number',
    (_name, svg) => {
      expect(svg).toMatch(/^<svg [^>]*role="img" aria-labelledby="title description">/);
      expect(svg).toMatch(/<desc id="description">[^<]*LiveKit's JavaScript worker[^<]*<\/desc>/);
      expect(svg).not.toMatch(/NaN|Infinity|undefined/);
      expect(svg).toContain('prefers-color-scheme: dark');
    },
  );

  it('have a dot for each sample', () => {
    expect(drawn['create-to-active.svg']?.match(/<circle/g)).toHaveLength(6);
  });

  it('draw of several bursts the middle one', () => {
    const [first, ...others] = ROWS.filter(({ runs }) => runs);
    const slow = { ...first, runs: [[9_000], [1_000], [3_000]] };
    const svg = charts([slow, ...others] as typeof ROWS)['burst-8.svg'];
    expect(svg).toContain(`${WAYS.jsWorker}: all after 3 s.`);
  });
});
