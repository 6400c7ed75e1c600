/**
 * Tables for people: columns that line up, in colour on a terminal alone. Room names can be anything
 * that a client made up, so whatever could move the cursor or turn the text round is shown as a code.
 */
import { styleText } from 'node:util';
import type { Terminal } from '../dev/progress.ts';

export type Style = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold';
/** Puts a style on a text, or leaves it as it is. */
export type Paint = (style: Style | null, text: string) => string;
export type Cell = string | { readonly text: string; readonly style: Style | null };

export interface TableLook {
  readonly paint: Paint;
  /** Longest line, in columns of the terminal; what is longer is cut in names and in the last column. */
  readonly width: number;
}

/** No colour, no limit. */
export const PLAIN: TableLook = { paint: (_style, text) => text, width: Infinity };

const GAP = '  ';
/** Longest name where lines are cut: names are whatever clients made up, of any length. */
const NAME_MAX = 40;
/** The last column is not cut shorter than this. */
const LAST_MIN = 24;

/** How to show things on this terminal; `whole`: nothing is cut. See no-color.org for NO_COLOR. */
export function lookOf(
  terminal: Terminal & { readonly columns?: number },
  env: Readonly<Record<string, string | undefined>>,
  whole = false,
): TableLook {
  const { isTTY = false, columns = Infinity } = terminal;
  const coloured = isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  return {
    paint: coloured
      ? (style, text) => (style === null ? text : styleText(style, text, { validateStream: false }))
      : PLAIN.paint,
    width: isTTY && !whole ? columns : Infinity,
  };
}

/** A line for the head and one for each row, each with its line's end. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { paint, width }: TableLook = PLAIN,
): string {
  const bold = head.map((text) => ({ text, style: 'bold' as const }));
  const lines = [bold, ...rows].map((row) => row.map(plainCell));
  const widths = head.map((_, i) => Math.max(...lines.map((line) => widthOf(line[i]?.text ?? ''))));
  const last = head.length - 1;
  const before = widths.slice(0, last).reduce((sum, one) => sum + one + GAP.length, 0);
  const lastMax = Math.max(width - before, LAST_MIN);
  const text = lines.map((line) =>
    line
      .map(({ text: cell, style }, i) =>
        i === last
          ? paint(style, cut(cell, lastMax))
          : paint(style, cell) + ' '.repeat((widths[i] ?? 0) - widthOf(cell)),
      )
      .join(GAP)
      .trimEnd(),
  );
  return text.map((line) => `${line}\n`).join('');
}

/** A name of unknown origin for a column that is not the last: cut where lines are cut. */
export function nameCell(name: string, { width }: TableLook): string {
  return width === Infinity ? name : cut(oneLine(name), NAME_MAX);
}

/** A text of unknown origin in one line: what is not to be shown as it is becomes its code. */
export function oneLine(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

function plainCell(cell: Cell): { readonly text: string; readonly style: Style | null } {
  const { text, style } = typeof cell === 'string' ? { text: cell, style: null } : cell;
  return { text: oneLine(text), style };
}

const SIGNS = new Intl.Segmenter('en', { granularity: 'grapheme' });
const WIDE =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff01-\uff60]|\p{Emoji_Presentation}/u;

/** Columns that a text takes: East Asian signs and emoji take two. */
function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of SIGNS.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

function cut(text: string, max: number): string {
  if (widthOf(text) <= max) return text;
  let kept = '';
  for (const { segment } of SIGNS.segment(text)) {
    if (widthOf(kept) + widthOf(segment) > max - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
