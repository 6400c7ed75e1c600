/** Lists that hints ask for: coalesced, with a rest after each, and once more beyond the lag. */
import { describe, expect, it } from 'vitest';
import { delay } from '../../../launcher/lib/clock.ts';
import { HintedLists } from '../../../launcher/reconcile/hinted.ts';
import { FakeClock } from '../../fakes/clock.ts';

/** Lists that take `tookMs`, and when each began. */
function bed({ tookMs, listLagMs = 0, fails = false }: Options) {
  const clock = new FakeClock(0);
  const begunAtMs: number[] = [];
  let failures = 0;
  let turn = 0;
  const observer = {
    turn: () => (turn += 1),
    async freshTasks() {
      begunAtMs.push(clock.nowMs());
      await delay(clock, tookMs);
      if (fails) throw new Error('away');
    },
  };
  const lists = new HintedLists({ observer, clock, listLagMs, failed: () => (failures += 1) });
  return { clock, lists, begunAtMs, failures: () => failures };
}

interface Options {
  readonly tookMs: number;
  readonly listLagMs?: number;
  readonly fails?: boolean;
}

describe('lists that hints ask for', () => {
  it('come one at a time, each after a rest as long as the one before', async () => {
    const { clock, lists, begunAtMs } = bed({ tookMs: 1_000 });
    for (let n = 0; n < 50; n += 1) {
      lists.hint();
      await clock.advance(100);
    }
    await clock.advance(10_000);
    expect(begunAtMs).toEqual([0, 2_000, 4_000, 6_000]);
    expect(clock.pending).toBe(0);
  });

  it('come at once where no list ran', async () => {
    const { clock, lists, begunAtMs } = bed({ tookMs: 10 });
    lists.hint();
    await clock.advance(5_000);
    lists.hint();
    await clock.advance(5_000);
    expect(begunAtMs).toEqual([0, 5_000]);
  });

  it('come once more when what was hinted at shows for sure', async () => {
    const { clock, lists, begunAtMs } = bed({ tookMs: 10, listLagMs: 30_000 });
    lists.hint();
    await clock.advance(60_000);
    expect(begunAtMs).toEqual([0, 30_020]);
  });

  it('say that they failed, and go on', async () => {
    const { clock, lists, begunAtMs, failures } = bed({ tookMs: 10, fails: true });
    lists.hint();
    await clock.advance(1_000);
    lists.hint();
    await clock.advance(1_000);
    expect([begunAtMs.length, failures()]).toEqual([2, 2]);
  });

  it('end with the launcher', async () => {
    const { clock, lists, begunAtMs } = bed({ tookMs: 1_000, listLagMs: 30_000 });
    lists.hint();
    lists.hint();
    lists.stop();
    lists.hint();
    await clock.advance(60_000);
    expect(begunAtMs).toEqual([0]);
    expect(clock.pending).toBe(0);
  });
});
