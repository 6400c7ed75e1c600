import { describe, expect, it } from 'vitest';
import { goals } from '../../bench/goals.mjs';
import { markdownTables, textTables } from '../../bench/table.mjs';
import { ROWS } from './samples.ts';

const ours = goals(ROWS, 2);

describe('tables of a run', () => {
  const text = textTables(ROWS, ours);

  it('have a table for each group, with ratios to the JavaScript worker', () => {
    const line = text.split('\n').find((one) => one.startsWith('our runner, cold, bridge'));
    expect(line?.split(/\s{2,}/)).toEqual(['our runner, cold, bridge', '600', '700', '3', '1.71']);
    expect(text.match(/^CreateRoom to agent ACTIVE, ms/gm)).toHaveLength(1);
  });

  it('say of each goal what became of it', () => {
    expect(text).toMatch(/^P3 .*1\.71 +≤ 1\.3 +not reached$/m);
    expect(text).toMatch(/^P1 .*≤ 0\.28 +not measured$/m);
  });

  it('have equal columns', () => {
    const [first = ''] = text.split('\n\n');
    const [heading = '', ...lines] = first.split('\n');
    expect(new Set(lines.map((line) => line.length))).toEqual(new Set([heading.length]));
  });

  it('are Markdown, too', () => {
    const { figures, goals: table } = markdownTables(ROWS, ours);
    expect(figures).toContain('| our runner, cold, bridge | 600 | 700 | 3 | 1.71 |');
    expect(table).toContain('| P4 |');
  });
});
