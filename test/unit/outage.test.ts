import { expect, test } from 'vitest';
import { Outage } from '../../launcher/lib/outage.ts';
import { FakeClock } from '../fakes/clock.ts';
import { RecordedLog } from '../fakes/log.ts';

test('an outage is said once, and its end once, with how long it was', async () => {
  const clock = new FakeClock(1000);
  const log = new RecordedLog();
  const outage = new Outage('LiveKit', clock, log);
  outage.succeeded();
  expect(outage.current).toBeNull();

  outage.failed('refused');
  await clock.advance(2500);
  outage.failed('timed out');
  expect(outage.current).toEqual({ sinceMs: 1000, reason: 'timed out' });
  expect(outage.down).toBe(true);

  outage.succeeded();
  outage.succeeded();
  expect(outage.down).toBe(false);
  expect(log.lines).toEqual([
    { level: 'warn', text: 'LiveKit does not answer; retrying', fields: { reason: 'refused' } },
    { level: 'info', text: 'LiveKit answers again', fields: { down_ms: 2500 } },
  ]);
});

test('the next outage is said again', () => {
  const log = new RecordedLog();
  const outage = new Outage('The engine', new FakeClock(), log);
  for (const reason of ['one', 'two']) {
    outage.failed(reason);
    outage.succeeded();
  }
  expect(log.lines.map((line) => line.level)).toEqual(['warn', 'info', 'warn', 'info']);
});
