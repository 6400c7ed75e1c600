/** The bounds on calls under way, whichever tasks they are of. */
import { expect, it } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import {
  CALLS_IN_ALL,
  CALLS_PER_TASK,
  CallLimits,
} from '../../../launcher/gateway/server-api-limits.ts';
import { FakeClock } from '../../fakes/clock.ts';

const key = (n: number) => `r-RM_${n}-1` as TaskKey;

it('all tasks together have a bound, and a call that ends makes room for one', () => {
  const limits = new CallLimits(new FakeClock());
  const ends = Array.from({ length: CALLS_IN_ALL }, (_, n) =>
    limits.begin(key(Math.floor(n / CALLS_PER_TASK))),
  );
  expect(ends).not.toContain(null);
  expect(limits.begin(key(1_000))).toBeNull();
  ends[0]?.();
  expect(limits.begin(key(1_000))).not.toBeNull();
  expect(limits.begin(key(1_001))).toBeNull();
});
