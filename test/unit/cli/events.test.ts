import { expect, it } from 'vitest';
import { type EventData, eventLine, isWanted } from '../../../launcher/cli/events.ts';
import { SseReader } from '../../../launcher/cli/sse.ts';
import { PLAIN } from '../../../launcher/cli/table.ts';

const at = new Date(2026, 0, 1, 4, 5, 6).toISOString();
const event: EventData = {
  time: at,
  level: 'info',
  event: 'task.end',
  task: 'r-RM_1-1',
  sid: 'RM_1',
  attempt: 1,
  room: 'the\nlobby',
  reason: 'stopped by an operator',
  code: 0,
  livekit_url: null,
};

it('an event is one line, the reason before the figures', () => {
  expect(eventLine(event, PLAIN.paint)).toBe(
    String.raw`04:05:06  task.end         the\u000alobby  r-RM_1-1  stopped by an operator  code=0`,
  );
  const bare = { time: at, level: 'warn', event: 'run.fail', sid: 'RM_1' };
  expect(eventLine(bare, PLAIN.paint)).toBe('04:05:06  run.fail         RM_1');
});

it.each([
  [{}, true],
  [{ room: 'the\nlobby' }, true],
  [{ room: 'RM_1' }, true],
  [{ room: 'other' }, false],
  [{ task: 'r-RM_1' }, true],
  [{ task: 'r-RM_1-1' }, true],
  [{ task: 's-' }, false],
  [{ room: 'RM_1', task: 's-' }, false],
])('with %j is it wanted: %s', (wanted, is) => {
  expect(isWanted(event, wanted)).toBe(is);
});

const STREAM =
  'retry: 1000\n\ndata: {"a":1}\nid: 7\n\n: still here\n\ndata: b\r\ndata:c\r\n\r\ndata: cut';

it.each([1, 2, 5, 1_000])('a stream cut into pieces of %i', (length) => {
  const reader = new SseReader();
  const messages = [];
  for (let i = 0; i < STREAM.length; i += length) {
    messages.push(...reader.take(STREAM.slice(i, i + length)));
  }
  expect(messages).toEqual([
    { id: '7', data: '{"a":1}' },
    { id: '7', data: 'b\nc' },
  ]);
});

it('a stream without line ends is none', () => {
  const reader = new SseReader();
  const piece = 'x'.repeat(400_000);
  reader.take(piece);
  reader.take(piece);
  expect(() => reader.take(piece)).toThrow('that is no stream of events');
});
