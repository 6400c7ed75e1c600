import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { watchEvents } from '../../../launcher/drivers/docker/watch.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { RecordedLog } from '../../fakes/log.ts';

async function* streamOf(...events: readonly string[]): AsyncIterable<string> {
  yield* events;
}

it('opens the stream again with a growing backoff, and nudges at each opening', async () => {
  const clock = new FakeClock();
  const openedAtMs: number[] = [];
  let nudges = 0;
  const open = async () => {
    openedAtMs.push(clock.nowMs());
    if (openedAtMs.length === 4) return streamOf('two', 'events');
    throw new Error('away');
  };
  const startMs = clock.nowMs();
  const watch = watchEvents(open, () => (nudges += 1), clock, new RecordedLog());
  await clock.advance(3_500);
  expect(openedAtMs.map((at) => at - startMs)).toEqual([0, 500, 1_500, 3_500]);
  // Once for the opening, once per event.
  expect(nudges).toBe(3);
  // The stream broke: the backoff begins anew.
  await clock.advance(500);
  expect(openedAtMs).toHaveLength(5);
  await watch[Symbol.asyncDispose]();
  await clock.advance(60_000);
  expect(openedAtMs).toHaveLength(5);
  expect(clock.pending).toBe(0);
});

async function openedTooLate(signal: AbortSignal): Promise<AsyncIterable<string>> {
  await once(signal, 'abort');
  return streamOf('late');
}

it('nudges no more once it is disposed of', async () => {
  let nudges = 0;
  const watch = watchEvents(openedTooLate, () => (nudges += 1), new FakeClock(), new RecordedLog());
  await setImmediate();
  await watch[Symbol.asyncDispose]();
  expect(nudges).toBe(0);
});
