import { expect, test } from 'vitest';
import { binned, quantile } from '../../../launcher/admin/dashboard/plots.tsx';
import {
  scaleFor,
  stepsInWords,
  stepsOf,
  totalMs,
} from '../../../launcher/admin/dashboard/start-up-bar.tsx';
import {
  ageOf,
  memoryOf,
  shareOf,
  tookOf,
  verdictOf,
  wordsOf,
} from '../../../launcher/admin/dashboard/words.ts';

const WHOLE = {
  heardAtMs: 1_000,
  launchedAtMs: 1_020,
  acceptedAtMs: 1_100,
  registeredAtMs: 2_000,
  assignedAtMs: 2_040,
  activeAtMs: 2_500,
};

test('a start-up is a chain of steps without a gap', () => {
  expect(stepsInWords(stepsOf(WHOLE))).toBe(
    'webhook to launch 20 ms, launch to registered 980 ms, registered to assigned 40 ms, assigned to active 460 ms',
  );
  expect(totalMs(stepsOf(WHOLE))).toBe(1_500);
});

test.each([
  ['nothing was seen', {}, null],
  ['its launch is under way', { heardAtMs: 1_000 }, null],
  ['its webhook was lost', { launchedAtMs: 1_020, registeredAtMs: 2_000 }, 980],
  ['a standby was there before its room', { ...WHOLE, launchedAtMs: 1, registeredAtMs: 9 }, 1_500],
  ['a later attempt begins at its own launch', { ...WHOLE, attempt: 2 }, 1_480],
])('a start-up of which %s', (_what, start, total) => {
  expect(totalMs(stepsOf(start))).toBe(total);
});

test('the scale fits nine of ten', () => {
  expect(scaleFor([])).toBe(1_000);
  expect(scaleFor([900, 900, 900, 900, 900, 900, 900, 900, 900, 60_000])).toBe(60_000);
  expect(scaleFor([...Array.from({ length: 19 }, () => 900), 60_000])).toBe(1_000);
});

test('histograms count each time once', () => {
  expect(binned([50, 51, 1_000, 3_600_000])).toEqual([1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2);
  expect(quantile([1, 2, 3, 4], 0.95)).toBe(4);
  expect(quantile([], 0.5)).toBeUndefined();
});

test.each([
  [ageOf(-5), '0s'],
  [ageOf(59_999), '59s'],
  [ageOf(303_000), '5m 3s'],
  [ageOf(7_800_000), '2h 10m'],
  [ageOf(273_600_000), '3d 4h'],
  [tookOf(84.4), '84 ms'],
  [tookOf(1_240), '1.24 s'],
  [tookOf(38_200), '38 s'],
  [memoryOf(150 * 2 ** 20), '150 MiB'],
  [memoryOf(1_536 * 2 ** 20), '1.5 GiB'],
  [shareOf(0.031), '3.1 %'],
  [shareOf(1.5), '150 %'],
  [verdictOf({ verdict: null }), 'ended'],
  [verdictOf({ verdict: 'fatal' }), 'failed for good'],
])('%s', (said, expected) => expect(said).toBe(expected));

test.each([
  ['webhook.receive', { status: 200, webhook_event: 'room_started' }, 'room_started'],
  ['webhook.receive', { status: 401, reason: 'bad token' }, 'refused with 401: bad token'],
  ['task.launch', { outcome: 'accepted', took_ms: 84, reason: 'why' }, 'accepted in 84 ms: why'],
  [
    'task.launch',
    { outcome: 'refused', refusal: 'image', detail: 'no such image', took_ms: 5, reason: 'why' },
    'refused in 5 ms: image: no such image',
  ],
  ['task.end', { verdict: 'served', ran_ms: 303_000, reason: 'over' }, 'served after 5m 3s: over'],
  ['run.fail', { reason: 'given up' }, 'given up'],
] as const)('%s in words', (event, fields, words) => {
  expect(wordsOf({ event, fields })).toBe(words);
});
