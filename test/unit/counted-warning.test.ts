import { expect, test } from 'vitest';
import { CountedWarning, SAY_EVERY_MS } from '../../launcher/lib/counted-warning.ts';
import type { Fields } from '../../launcher/lib/log.ts';
import { FakeClock } from '../fakes/clock.ts';

test('each reason is said at once, then once a minute with its number', async () => {
  const clock = new FakeClock();
  const said: Fields[] = [];
  const warning = new CountedWarning(clock, (fields) => said.push(fields));
  for (let n = 0; n < 1000; n++) warning.note('bad', { n });
  warning.note('worse');
  expect(said).toEqual([
    { n: 0, reason: 'bad', count: 1 },
    { reason: 'worse', count: 1 },
  ]);
  await clock.advance(SAY_EVERY_MS - 1);
  warning.note('bad');
  expect(said).toHaveLength(2);
  await clock.advance(1);
  warning.note('bad', { n: 7 });
  expect(said[2]).toEqual({ n: 7, reason: 'bad', count: 1001 });
  warning.note('bad');
  expect(said).toHaveLength(3);
  expect(clock.pending).toBe(0);
});
