import { expect, test } from 'vitest';
import type { EventName, Fields, Told } from '../../launcher/lib/log.ts';
import { Minutes } from '../../launcher/telemetry/minutes.ts';

const MINUTE_MS = 60_000;

test('events are counted by the minute and their outcome, for an hour', () => {
  let nowMs = 100 * MINUTE_MS + 30_000;
  const minutes = new Minutes({ nowMs: () => nowMs });
  const tell = (event: EventName, fields: Fields, level: Told['level'] = 'info') =>
    minutes.listener({ atMs: nowMs, event, level, fields });
  tell('webhook.receive', { status: 200 });
  tell('webhook.receive', { status: 401 }, 'warn');
  tell('task.end', { verdict: 'served' });
  tell('task.end', { verdict: 'served' }, 'debug');
  tell('pass.run', {}, 'debug');
  nowMs += MINUTE_MS;
  tell('task.launch', { outcome: 'accepted' });
  const all = minutes.all();
  expect(all).toHaveLength(60);
  expect(all.slice(-2)).toEqual([
    {
      atMs: 100 * MINUTE_MS,
      counts: new Map([
        ['webhook.receive accepted', 1],
        ['webhook.receive refused', 1],
        ['task.end served', 1],
      ]),
    },
    { atMs: 101 * MINUTE_MS, counts: new Map([['task.launch accepted', 1]]) },
  ]);
  nowMs += 60 * MINUTE_MS;
  expect(minutes.all().every(({ counts }) => counts.size === 0)).toBe(true);
});
