/** What the project has set itself, and whether the samples of a run reach it: pure. */
import { BURST, GROUPS, LAUNCHER, WAYS } from './names.mjs';
import { median, p95, steps } from './statistics.mjs';

/**
 * @typedef {{ group: string, name: string, unit: string, values: number[], runs?: number[][], note?: string }} Row
 * @typedef {{ id: string, what: string, limit: string, value: number, reached: boolean | null }} Goal
 *   `reached` is null, and `value` NaN, where the run has no samples for it
 */

const { active, exit, idle } = GROUPS;
const last = GROUPS.last(BURST.usual);
const each = GROUPS.each(BURST.usual);
const OURS = [WAYS.standbyBridge, WAYS.standbyHost, WAYS.coldBridge, WAYS.coldHost];

/**
 * Each with how it is made of samples (`row` finds them) and its limit, a value at most, or at least.
 * Containers are on a bridge, as they are by default.
 */
const GOALS = [
  {
    id: 'P1',
    what: "a standby, against LiveKit's JavaScript worker with its pool warm",
    of: (row) => ratio(row(active, WAYS.standbyBridge), row(active, WAYS.jsWorker)),
    most: 0.28,
  },
  {
    id: 'P2',
    what: 'a cold container, against that worker with its pool used up',
    of: (row, pool) =>
      median(row(active, WAYS.coldBridge).values) /
      median((row(each, WAYS.jsWorker).runs ?? []).flatMap((run) => steps(run, pool))),
    most: 0.55,
  },
  {
    id: 'P3',
    what: 'a cold container, against that worker with its pool warm',
    of: (row) => ratio(row(active, WAYS.coldBridge), row(active, WAYS.jsWorker)),
    most: 1.3,
  },
  {
    id: 'P4',
    what: `${BURST.usual} rooms at once, the last one, no standby, against that worker`,
    of: (row) => ratio(row(last, WAYS.coldBridge), row(last, WAYS.jsWorker)),
    most: 0.35,
  },
  {
    id: 'P5, JavaScript',
    what: 'an image as it is as a standby, against its own worker warm',
    of: (row) => ratio(row(active, WAYS.jsStandby), row(active, WAYS.jsWorker)),
    most: 0.6,
  },
  {
    id: 'P5, Python',
    what: 'an image as it is as a standby, against its own worker warm',
    of: (row) => ratio(row(active, WAYS.pythonStandby), row(active, WAYS.pythonWorker)),
    most: 0.6,
  },
  {
    id: 'P6',
    what: "memory of a standby, against LiveKit's JavaScript worker with one idle process",
    of: (row) => ratio(row(idle, WAYS.standbyBridge), row(idle, WAYS.jsWorker)),
    most: 0.13,
  },
  {
    id: 'P7, rate',
    what: 'verified webhooks a second on one core',
    of: (row) => median(row(...LAUNCHER.webhookRate).values),
    least: 6_000,
  },
  {
    id: 'P7, p99',
    what: 'p99 of a webhook with 1,000 live rooms, ms',
    of: (row) => median(row(...LAUNCHER.webhookP99).values),
    most: 10,
  },
  {
    id: 'P8',
    what: "a changed room's pass at 10,000 rooms, against 100",
    of: (row) => ratio(row(...LAUNCHER.passGreat), row(...LAUNCHER.passSmall)),
    most: 1.5,
  },
  {
    id: 'P9',
    what: 'DeleteRoom to container gone, p95, ms',
    of: (row) => Math.max(...OURS.map((name) => p95(row(exit, name).values))),
    most: 250,
  },
  {
    id: 'P10, idle',
    what: "the launcher's memory (RSS), MB",
    of: (row) => median(row(...LAUNCHER.rssIdle).values),
    most: 110,
  },
  {
    id: 'P10, 1,000 rooms',
    what: "the launcher's memory (RSS), MB",
    of: (row) => median(row(...LAUNCHER.rssThousand).values),
    most: 160,
  },
];

/**
 * All goals, in order, by the samples of a run on a machine whose worker keeps `pool` idle processes.
 * @param {readonly Row[]} rows
 * @param {number} pool
 * @returns {Goal[]}
 */
export function goals(rows, pool) {
  const row = (group, name) =>
    rows.find((one) => one.group === group && one.name === name) ?? { values: [] };
  return GOALS.map(({ id, what, of, most, least }) => {
    const value = of(row, pool);
    const reached = least === undefined ? value <= most : value >= least;
    const limit = least === undefined ? `≤ ${most}` : `≥ ${least}`;
    return { id, what, limit, value, reached: Number.isFinite(value) ? reached : null };
  });
}

function ratio(ours, theirs) {
  return median(ours.values) / median(theirs.values);
}
