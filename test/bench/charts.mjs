/** The charts of a run, by file name: pure. */
import { BURST, GROUPS, WAYS } from './names.mjs';
import { median } from './statistics.mjs';
import { COLOURS, drawing, element, line, text } from './svg.mjs';

/** @typedef {import('./goals.mjs').Row} Row */

const WIDTH = 860;
const LEFT = 260;
const RIGHT = 80;
const TOP = 60;
const ROW = 34;
const BOTTOM = 40;
const PLOT = WIDTH - LEFT - RIGHT;
const LINES_HEIGHT = 300;
const LEGEND = 270;
/** Images as they are would need a scale of their own. */
const ORDINARY = Object.values(WAYS).filter((name) => !name.includes('as it is'));
const THEIRS = [WAYS.jsWorker, WAYS.pythonWorker];

/**
 * What the rows have samples for: the start of a room, bursts, memory.
 * @param {readonly Row[]} rows
 * @returns {Record<string, string>} SVG by file name
 */
export function charts(rows) {
  const of = (group) => rows.filter((row) => row.group === group);
  const start = 'From CreateRoom to an agent that is ACTIVE, seconds';
  return {
    'create-to-active.svg': strips(start, of(GROUPS.active)),
    ...(of(GROUPS.idle).length > 0 && {
      'memory.svg': bars('Memory (PSS), MiB', of(GROUPS.idle), of(GROUPS.busy)),
    }),
    ...Object.fromEntries(
      [...bursts(rows)].map(([rooms, all]) => [`burst-${rooms}.svg`, steps(rooms, all)]),
    ),
  };
}

function* bursts(rows) {
  for (const rooms of [2, BURST.usual, BURST.great]) {
    const all = rows.filter(
      (row) => row.group === GROUPS.each(rooms) && ORDINARY.includes(row.name),
    );
    if (all.length > 0) yield [rooms, all];
  }
}

/** Each sample a dot, each median a stroke with its number; the scale is logarithmic. */
function strips(title, rows) {
  const values = rows.flatMap((row) => row.values);
  const ticks = [50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000];
  const least = ticks.findLast((one) => one <= Math.min(...values)) ?? ticks[0];
  const most = ticks.find((one) => one >= Math.max(...values)) ?? ticks.at(-1);
  const x = (ms) => LEFT + (PLOT * Math.log(ms / least)) / Math.log(most / least);
  const height = TOP + ROW * rows.length + BOTTOM;
  const shown = ticks.filter((one) => one >= least && one <= most);
  return drawing(
    { width: WIDTH, height, title, description: told(rows, 's', 1_000) },
    ...shown.map((ms) => tick(x(ms), height, seconds(ms))),
    ...rows.map((row, at) => strip(row, TOP + ROW * at + ROW / 2, x)),
  );
}

function strip({ name, values }, y, x) {
  const middle = median(values);
  const dots = values.map((ms, at) =>
    element('circle', { cx: x(ms), cy: y + 6 * spread(at), r: 4, class: `dot ${kindOf(name)}` }),
  );
  const stroke = { x: x(middle) - 1.5, y: y - 12, width: 3, height: 24, class: kindOf(name) };
  return [
    text(LEFT - 15, y + 4, name, 'end'),
    ...dots,
    element('rect', stroke),
    text(WIDTH - 20, y + 4, seconds(middle), 'end value'),
  ].join('');
}

/** Between -1 and 1, the same in each run: neighbours do not hide one another. */
function spread(index) {
  return ((index * 0.618) % 1) * 2 - 1;
}

/** How many rooms have their agent by when: of each way its middle burst. */
function steps(rooms, rows) {
  const all = rows
    .map((row) => ({ name: row.name, times: middleRun(row.runs) }))
    .toSorted((a, b) => a.times.at(-1) - b.times.at(-1));
  const title = `${rooms} rooms created at once: how many have their agent`;
  const most = niceAbove(Math.max(...all.map(({ times }) => times.at(-1))) / 1_000);
  const right = WIDTH - LEGEND;
  const bottom = TOP + LINES_HEIGHT;
  const x = (ms) => 50 + ((right - 50) * ms) / 1_000 / most;
  const y = (count) => bottom - (LINES_HEIGHT * count) / rooms;
  const description = all
    .map(({ name, times }) => `${name}: all after ${seconds(times.at(-1))} s.`)
    .join(' ');
  const quarters = [0, 0.25, 0.5, 0.75, 1];
  return drawing(
    { width: WIDTH, height: bottom + BOTTOM, title, description },
    ...quarters.map((part) => tick(x(most * part * 1_000), bottom + BOTTOM, `${most * part} s`)),
    ...[rooms / 2, rooms].flatMap((count) => [
      line(50, y(count), right, y(count)),
      text(42, y(count) + 4, String(count), 'faint end'),
    ]),
    ...all.map(({ name, times }) =>
      element('path', { d: path(times, x, y), stroke: colourOf(name), class: 'line' }),
    ),
    ...all.flatMap(({ name, times }, at) => [
      element('rect', {
        x: right + 20,
        y: TOP + 44 * at,
        width: 14,
        height: 14,
        fill: colourOf(name),
      }),
      text(right + 42, TOP + 12 + 44 * at, name),
      text(right + 42, TOP + 29 + 44 * at, `all after ${seconds(times.at(-1))} s`, 'faint'),
    ]),
  );
}

function path(times, x, y) {
  const parts = times.map((ms, at) => `H${x(ms).toFixed(1)}V${y(at + 1).toFixed(1)}`);
  return `M${x(0).toFixed(1)} ${y(0).toFixed(1)}${parts.join('')}`;
}

/** By when its last room had its agent. */
function middleRun(runs) {
  const sorted = runs.toSorted((a, b) => a.at(-1) - b.at(-1));
  return sorted[(sorted.length - 1) >> 1];
}

/** What waits for a room above what serves one. */
function bars(title, idle, busy) {
  const most = niceAbove(Math.max(...[...idle, ...busy].map(({ values }) => median(values))));
  const x = (mib) => LEFT + (PLOT * mib) / most;
  const height = TOP + 2 * ROW * idle.length + BOTTOM;
  const description = `Waiting: ${told(idle, 'MiB', 1)} Serving a room: ${told(busy, 'MiB', 1)}`;
  return drawing(
    { width: WIDTH, height, title, description },
    ...[0, 0.25, 0.5, 0.75, 1].map((part) => tick(x(most * part), height, String(most * part))),
    ...idle.flatMap(({ name, values }, at) => {
      const y = TOP + 2 * ROW * at;
      const serving = busy.find((row) => row.name === name)?.values ?? [];
      return [
        text(LEFT - 15, y + 29, name.replace(/, (warm|standby).*/, ''), 'end'),
        bar(name, 'waiting', median(values), y + 6, x),
        bar(name, 'serving', median(serving), y + 31, x),
      ];
    }),
  );
}

function bar(name, what, mib, y, x) {
  const kind = what === 'waiting' ? kindOf(name) : `${kindOf(name)} light`;
  return [
    element('rect', { x: LEFT, y, width: x(mib) - LEFT, height: 22, rx: 2, class: kind }),
    text(x(mib) + 6, y + 15, `${mib.toFixed(0)} ${what}`, 'faint'),
  ].join('');
}

function tick(x, height, label) {
  const low = height - BOTTOM;
  return line(x, TOP - 10, x, low) + text(x, low + 20, label, 'faint middle');
}

/** The same in all charts. */
function colourOf(name) {
  return COLOURS[ORDINARY.indexOf(name) % COLOURS.length];
}

function kindOf(name) {
  if (THEIRS.includes(name)) return 'theirs';
  return name.includes('as it is') ? 'foreign' : 'ours';
}

function told(rows, unit, divisor) {
  const medians = rows.map(
    ({ name, values }) => `${name} ${Number((median(values) / divisor).toPrecision(3))} ${unit}`,
  );
  return `Medians: ${medians.join('; ')}.`;
}

function seconds(ms) {
  return String(Number((ms / 1_000).toPrecision(ms < 1_000 ? 2 : 3)));
}

/** The least of 1, 2, 4, 8, 10, 20 … that is not below. */
function niceAbove(value) {
  const ten = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((one) => one * ten).find((one) => one >= value);
}
