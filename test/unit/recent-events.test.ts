import { expect, test } from 'vitest';
import type { Told } from '../../launcher/lib/log.ts';
import { RecentEvents } from '../../launcher/telemetry/recent.ts';

function told(atMs: number, level: Told['level'] = 'info'): Told {
  return { atMs, event: 'task.launch', level, fields: {} };
}

test('keeps the newest events, and gives those after a number', () => {
  const recent = new RecentEvents(0);
  for (let atMs = 1; atMs <= 5_010; atMs += 1) recent.listener(told(atMs));
  expect(recent.since()).toHaveLength(5_000);
  expect(recent.since()[0]?.atMs).toBe(11);
  const last = recent.since().at(-2)?.number;
  expect(recent.since(last).map(({ atMs }) => atMs)).toEqual([5_010]);
});

test('a later life goes on with higher numbers', () => {
  const earlier = new RecentEvents(1_000);
  const later = new RecentEvents(1_001);
  for (let i = 0; i < 900; i += 1) earlier.listener(told(i));
  later.listener(told(1));
  const [first] = later.since();
  expect(first?.number).toBeGreaterThan(earlier.since().at(-1)?.number ?? Infinity);
});

test('subscribers hear of every level until they have had enough; debug is not kept', () => {
  const recent = new RecentEvents(0);
  const heard: number[] = [];
  const unsubscribe = recent.subscribe(({ atMs }) => heard.push(atMs));
  recent.listener(told(1, 'debug'));
  recent.listener(told(2, 'warn'));
  unsubscribe();
  recent.listener(told(3));
  expect(heard).toEqual([1, 2]);
  expect(recent.since().map(({ atMs }) => atMs)).toEqual([2, 3]);
});
