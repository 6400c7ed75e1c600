import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { lookOf, oneLine, table } from '../../../launcher/cli/table.ts';

const terminal = (isTTY: boolean, columns = 80) => ({ isTTY, columns, write: () => true });
const ROWS = [
  ['a', { text: 'failed', style: 'red' as const }, 'because of this and that'],
  ['a long name', 'ok', ''],
];

describe('a table', () => {
  it('lines its columns up, and ends no line in blanks', () => {
    expect(table(['NAME', 'STATE', 'WHY'], ROWS)).toBe(
      'NAME         STATE   WHY\n' +
        'a            failed  because of this and that\n' +
        'a long name  ok\n',
    );
  });

  it('counts what signs take on a terminal, not how many there are', () => {
    expect(
      table(
        ['A', 'B'],
        [
          ['日本', '1'],
          ['u\u0308', '2'],
          ['🎉', '3'],
        ],
      ),
    ).toBe('A     B\n日本  1\nu\u0308     2\n🎉    3\n');
  });

  it('shows as codes what could move the cursor, clear the screen or turn text round', () => {
    const nasty = 'x\u001b[2J\r\n\u202etxt\u0007\u200b';
    const cell = String.raw`x\u001b[2J\u000d\u000a\u202etxt\u0007\u200b`;
    expect(table(['A'], [[nasty]])).toBe(`A\n${cell}\n`);
    expect(oneLine('<b>as it is</b> ü')).toBe('<b>as it is</b> ü');
  });

  it('is coloured, and cut to the width, on a terminal alone', () => {
    const text = table(['NAME', 'STATE', 'WHY'], ROWS, lookOf(terminal(true, 46), {}));
    expect(text).toContain('\u001b[31mfailed\u001b[39m');
    const plain = stripVTControlCharacters(text).split('\n');
    expect(plain[1]).toBe('a            failed  because of this and that');
    const narrow = table(['N', 'WHY'], [['a', 'x'.repeat(60)]], lookOf(terminal(true, 40), {}));
    expect(stripVTControlCharacters(narrow)).toBe(`N  WHY\na  ${'x'.repeat(36)}…\n`);
    const whole = table(
      ['N', 'WHY'],
      [['a', 'x'.repeat(60)]],
      lookOf(terminal(true, 40), {}, true),
    );
    expect(stripVTControlCharacters(whole)).toBe(`N  WHY\na  ${'x'.repeat(60)}\n`);
  });

  it.each([
    ['no terminal', false, {}],
    ['NO_COLOR', true, { NO_COLOR: '1' }],
    ['a dumb terminal', true, { TERM: 'dumb' }],
  ])('has no colour with %s', (_what, isTTY, env) => {
    const text = table(['NAME', 'STATE', 'WHY'], ROWS, lookOf(terminal(isTTY, 200), env));
    expect(text).toBe(stripVTControlCharacters(text));
  });

  it('takes an empty NO_COLOR for none', () => {
    expect(table(['A'], [], lookOf(terminal(true), { NO_COLOR: '' }))).toContain('\u001b[1m');
  });
});
