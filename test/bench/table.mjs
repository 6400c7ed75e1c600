/** The figures of a run as text for a terminal, and as Markdown: pure. */
import { WAYS } from './names.mjs';
import { median, p95 } from './statistics.mjs';

/** @typedef {import('./goals.mjs').Row} Row */
/** @typedef {import('./goals.mjs').Goal} Goal */

const COLUMNS = ['median', 'p95', 'n', 'ratio'];

/**
 * A table for each group, one below the other.
 * @param {readonly Row[]} rows
 * @param {readonly Goal[]} goals
 * @returns {string}
 */
export function textTables(rows, goals) {
  const tables = [...tablesOf(rows), goalsTable(goals)];
  return tables.map((lines) => aligned(lines)).join('\n\n');
}

/**
 * The same as Markdown.
 * @param {readonly Row[]} rows
 * @param {readonly Goal[]} goals
 */
export function markdownTables(rows, goals) {
  return { figures: tablesOf(rows).map(markdown).join('\n\n'), goals: markdown(goalsTable(goals)) };
}

/** What is as text a line, `name: value`. */
export function markdownList(facts) {
  return markdown([['', ''], ...Object.entries(facts)]);
}

function titleOf({ group, unit }) {
  return `${group}, ${unit}`;
}

function tablesOf(rows) {
  return [...new Set(rows.map(titleOf))].map((title) => {
    const all = rows.filter((row) => titleOf(row) === title);
    return [[title, ...COLUMNS], ...all.map((row) => cells(row, all))];
  });
}

function cells({ name, values }, all) {
  const worker = all.find((row) => row.name === WAYS.jsWorker);
  const ratio = worker ? (median(values) / median(worker.values)).toFixed(2) : '';
  return [name, number(median(values)), number(p95(values)), String(values.length), ratio];
}

function goalsTable(goals) {
  const verdict = { true: 'reached', false: 'not reached', null: 'not measured' };
  const rows = goals.map(({ id, what, value, limit, reached }) => [
    id,
    what,
    reached === null ? '' : number(value),
    limit,
    verdict[String(reached)],
  ]);
  return [['goal', '', 'this run', 'limit', ''], ...rows];
}

/** Three digits that count. */
function number(value) {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(3)));
}

/** A column is to the right when all below its heading are numbers. */
function aligned(lines) {
  const right = lines[0].map((_, at) =>
    lines.slice(1).every((line) => /^[≤≥]?[\d.,\s]*$/.test(line[at])),
  );
  const widths = lines[0].map((_, at) => Math.max(...lines.map((line) => line[at].length)));
  return lines
    .map((line) =>
      line
        .map((text, at) => (right[at] ? text.padStart(widths[at]) : text.padEnd(widths[at])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdown([heading, ...lines]) {
  const rule = heading.map((_, at) =>
    at > 0 && lines.every((line) => /^[\d.,]*$/.test(line[at])) ? '--:' : '---',
  );
  return [heading, rule, ...lines].map((line) => `| ${line.join(' | ')} |`).join('\n');
}
