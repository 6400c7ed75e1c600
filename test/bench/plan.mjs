/** How much a run measures: pure. */
import { BURST } from './names.mjs';

/** For a worker's SIGTERM to be taken: a young one lets it wait for ten seconds. */
const HOLD_MS = 11_000;

const FULL = {
  hasty: false,
  active: 15,
  some: ['jsWorker', 'pythonWorker', 'standbyBridge', 'standbyHost', 'coldBridge', 'coldHost'],
  calls: 15,
  holds: 2,
  holdMs: HOLD_MS,
  memory: 1,
  memoryOf: ['jsWorker', 'pythonWorker', 'standbyBridge', 'jsStandby', 'pythonStandby'],
  bursts: [
    { rooms: BURST.usual, times: 3 },
    { rooms: BURST.great, times: 1 },
  ],
};

/**
 * Shows that everything can be measured; its times mean nothing. All ways have a turn, but for what
 * comes after the first rounds, which `some` have.
 */
const QUICK = {
  hasty: true,
  some: ['jsWorker', 'pythonWorker', 'standbyBridge', 'coldBridge', 'process'],
  active: 1,
  calls: 1,
  holds: 1,
  holdMs: 1_000,
  memory: 1,
  memoryOf: ['jsWorker', 'standbyBridge'],
  bursts: [{ rooms: 2, times: 1 }],
};

const BURST_WAYS = [
  'jsWorker',
  'pythonWorker',
  'standbyBridge',
  'coldBridge',
  'coldHost',
  'process',
];

/**
 * @param {{ quick: boolean, rounds?: string }} options `rounds`: of rooms one at a time, instead
 */
export function planOf({ quick, rounds }) {
  const plan = quick ? QUICK : FULL;
  if (rounds === undefined) return plan;
  if (!/^[1-9]\d{0,2}$/.test(rounds)) throw new Error(`--rounds ${rounds}: a number from 1 to 999`);
  return { ...plan, active: Number(rounds) };
}

/** The bursts in their order: `{ rooms, times, keys }`, the keys those of `WAYS`. */
export function burstsOf({ bursts }) {
  return bursts.map(({ rooms, times }) => ({ rooms, times, keys: BURST_WAYS }));
}
