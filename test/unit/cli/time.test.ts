import { expect, it } from 'vitest';
import { duration, since, timeOfDay } from '../../../launcher/cli/time.ts';

it.each([
  [-5, '0s'],
  [999, '0s'],
  [119, '119s', 1_000],
  [120, '2m', 1_000],
  [250, '4m10s', 1_000],
  [600, '10m', 1_000],
  [10_799, '179m', 1_000],
  [10_800, '3h', 1_000],
  [11_400, '3h10m', 1_000],
  [28_800, '8h', 1_000],
  [172_799, '47h', 1_000],
  [172_800, '2d', 1_000],
])('%i lasts %s', (amount, text, unitMs = 1) => {
  expect(duration(amount * unitMs)).toBe(text);
});

it('counts from an ISO time, never backwards, and knows none', () => {
  const nowMs = Date.parse('2026-01-01T00:01:00Z');
  expect(since('2026-01-01T00:00:00Z', nowMs)).toBe('60s');
  expect(since('2026-01-01T00:02:00Z', nowMs)).toBe('0s');
  expect(since(null, nowMs)).toBe('-');
});

it('tells the time of day by this machine', () => {
  const local = new Date(2026, 0, 1, 4, 5, 6).toISOString();
  expect(timeOfDay(local)).toBe('04:05:06');
});
