/** Samples of a run that never was. */
import { GROUPS, WAYS } from '../../bench/names.mjs';

export interface Row {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly values: number[];
  readonly runs?: number[][];
}

/** Eight rooms at once, of a worker with two idle processes: then one process after another. */
export const WORKER_BURST = [500, 520, 1_800, 2_800, 3_900, 4_900, 6_000, 7_000];

export function row(group: string, name: string, ...values: number[]): Row {
  return { group, name, unit: 'ms', values };
}

export function burst(name: string, ...runs: number[][]): Row {
  return { ...row(GROUPS.each(8), name, ...runs.flat()), runs };
}

export const ROWS: readonly Row[] = [
  row(GROUPS.active, WAYS.jsWorker, 300, 400, 350),
  row(GROUPS.active, WAYS.coldBridge, 500, 700, 600),
  burst(WAYS.jsWorker, WORKER_BURST),
  burst(WAYS.coldBridge, [600, 1_000, 1_200]),
  row(GROUPS.last(8), WAYS.jsWorker, 7_000),
  row(GROUPS.last(8), WAYS.coldBridge, 2_400),
  row(GROUPS.idle, WAYS.jsWorker, 500),
  row(GROUPS.idle, WAYS.standbyBridge, 60),
  row(GROUPS.busy, WAYS.jsWorker, 100),
  row(GROUPS.busy, WAYS.standbyBridge, 90),
];
