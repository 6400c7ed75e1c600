/** The pace of calls: how many go out when. */
import { expect, it } from 'vitest';
import { Pacer } from '../../../launcher/drivers/ecs/pacer.ts';
import { FakeClock } from '../../fakes/clock.ts';

const BUDGET = { burst: 3, perSecond: 2 };
const CALM = new AbortController().signal;

function turnsOf(clock: FakeClock, pacer: Pacer, count: number): Promise<number[]> {
  const startMs = clock.nowMs();
  const turns = Array.from({ length: count }, async () => {
    await pacer.turn(CALM);
    return clock.nowMs() - startMs;
  });
  return Promise.all(turns);
}

it('lets a burst go at once, and the rest at the rate, in order', async () => {
  const clock = new FakeClock();
  const turns = turnsOf(clock, new Pacer(clock, BUDGET), 6);
  await clock.advance(10_000);
  expect(await turns).toEqual([0, 0, 0, 500, 1_000, 1_500]);
});

it('fills up again, to the burst and no further', async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(clock, BUDGET);
  await turnsOf(clock, pacer, 3);
  await clock.advance(60_000);
  const turns = turnsOf(clock, pacer, 4);
  await clock.advance(10_000);
  expect(await turns).toEqual([0, 0, 0, 500]);
});

it('holds all calls back as long as the service says, and lets no burst follow', async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(clock, BUDGET);
  pacer.hold(2_000);
  const turns = turnsOf(clock, pacer, 2);
  await clock.advance(10_000);
  expect(await turns).toEqual([2_500, 3_000]);
});

it('holds back what waits already, and keeps its order', async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(clock, BUDGET);
  const waiting = turnsOf(clock, pacer, 7);
  pacer.hold(1_000);
  const next = turnsOf(clock, pacer, 1);
  await clock.advance(10_000);
  expect(await waiting).toEqual([0, 0, 0, 1_500, 2_000, 2_500, 3_000]);
  expect(await next).toEqual([3_500]);
});

it('gives a turn back that nobody waits for any more', async () => {
  const clock = new FakeClock();
  const pacer = new Pacer(clock, BUDGET);
  await turnsOf(clock, pacer, 3);
  const caller = new AbortController();
  const given = pacer.turn(caller.signal);
  caller.abort(new Error('gave up'));
  await expect(given).rejects.toThrow('gave up');
  await expect(pacer.turn(caller.signal)).rejects.toThrow('gave up');
  const turns = turnsOf(clock, pacer, 1);
  await clock.advance(10_000);
  expect(await turns).toEqual([500]);
  expect(clock.pending).toBe(0);
});
