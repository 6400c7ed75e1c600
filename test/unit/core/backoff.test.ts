import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from '../../../launcher/core/backoff.ts';

it.each([
  [1, 500],
  [2, 1_000],
  [3, 2_000],
  [4, 4_000],
  [5, 8_000],
  [6, 16_000],
  [7, 30_000],
  [8, 30_000],
  [1_000, 30_000],
])('after %d failures: %d ms, 20 %% more or less', (failures, stepMs) => {
  fc.assert(
    fc.property(fc.string(), (of) => {
      const waitMs = backoffMs(failures, of);
      expect(waitMs).toBeGreaterThanOrEqual(stepMs * 0.8);
      expect(waitMs).toBeLessThanOrEqual(stepMs * 1.2);
      expect(Number.isInteger(waitMs)).toBe(true);
    }),
  );
});

it('is the same for the same key: two launchers agree', () => {
  expect(backoffMs(3, 'r-RM_a-3')).toBe(backoffMs(3, 'r-RM_a-3'));
});

it('is spread over the whole range between rooms', () => {
  const waits = Array.from({ length: 200 }, (_, i) => backoffMs(1, `r-RM_${i}-1`));
  expect(Math.min(...waits)).toBeLessThan(425);
  expect(Math.max(...waits)).toBeGreaterThan(575);
});
