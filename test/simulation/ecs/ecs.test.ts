/**
 * The launcher on ECS at an account's default rates: the real reconciler and driver, the unmodified
 * SDK, and a fake that counts each call. `npm run simulate -- --profile ecs` prints the figures.
 */
import { describe, expect, it } from 'vitest';
import { throttled } from '../../fakes/ecs/index.ts';
import { quotaLimitMs } from './figures.ts';
import { burst, ends, fullPass } from './scenarios.ts';

const MINUTE_MS = 60_000;
const TIMEOUT_MS = 300_000;

describe('rooms that start within a minute', { timeout: TIMEOUT_MS }, () => {
  it('get 1,000 tasks as fast as the quota allows, and hardly a call is throttled', async () => {
    const { launches, quotaMs, served, tasks } = await burst({ rooms: 1_000, withinMs: MINUTE_MS });
    expect({ served, tasks }).toEqual({ served: 1_000, tasks: 1_000 });
    expect(launches.accepted / launches.attempted).toBeGreaterThanOrEqual(0.95);
    expect(launches.lastMs).toBeLessThanOrEqual(1.1 * quotaMs);
  });

  it('get one task each from a launcher that is killed meanwhile and its successor', async () => {
    const kill = { atMs: 25_000, downMs: 5_000 };
    const { served, tasks } = await burst({ rooms: 500, withinMs: MINUTE_MS, kill });
    expect({ served, tasks }).toEqual({ served: 500, tasks: 500 });
  });

  it('tell the same story twice', async () => {
    const options = { rooms: 60, withinMs: MINUTE_MS, kill: { atMs: 25_000, downMs: 5_000 } };
    expect(await burst(options)).toEqual(await burst(options));
  });

  it('wait for as long as the service asks for, and no longer', async () => {
    const askedAtMs: number[] = [];
    const { launches, served } = await burst({
      rooms: 30,
      withinMs: 1_000,
      meanwhile: ({ ecs, clock, wire }) => {
        ecs.faults.next('RunTask', throttled(7));
        clock.timer(MINUTE_MS, () => {
          const calls = wire.asked.filter(({ action }) => action === 'RunTask');
          askedAtMs.push(...calls.map(({ atMs }) => atMs));
        });
      },
    });
    expect(served).toBe(30);
    expect(launches.throttled).toBe(1);
    // Calls that were on their way by then, and then none for seven seconds.
    const pauses = askedAtMs.map((atMs, n) => atMs - (askedAtMs[n - 1] ?? atMs));
    expect(Math.max(...pauses)).toBeGreaterThan(6_000);
    expect(Math.max(...pauses)).toBeLessThan(8_000);
  });
});

describe('rooms that end together', { timeout: TIMEOUT_MS }, () => {
  it('have their tasks stopped at their rate, and hold up no room that starts', async () => {
    const after = await ends(300, 50, { runner: false });
    expect(after.calls['StopTask']).toBe(300);
    expect(after.launchedAfterMs).toBeLessThan(2_000);
    // 30 at once, then 15 each second.
    expect(after.endedAfterMs).toBeLessThan(((300 - 30) / 15) * 1_000 + 5_000);
    expect(after.throttled).toBe(0);
  });

  it('need no stop where our runner ends by itself', async () => {
    const after = await ends(100, 20);
    expect(after.calls['StopTask']).toBeUndefined();
    expect(after.endedAfterMs).toBeLessThan(2_000);
  });
});

describe('a full pass', { timeout: TIMEOUT_MS }, () => {
  it.each([
    { tasks: 1_000, calls: { ListTasks: 11, DescribeTasks: 10 }, withinMs: 2_000 },
    { tasks: 10_000, calls: { ListTasks: 101, DescribeTasks: 100 }, withinMs: 17_000 },
  ])('over $tasks tasks asks for each page once', async ({ tasks, calls, withinMs }) => {
    const pass = await fullPass(tasks);
    expect(pass.calls).toEqual(calls);
    expect(pass.tookMs).toBeLessThan(withinMs);
  });
});

describe('the quota', () => {
  it.each([
    { what: '1,000 at once', wanted: Array.from({ length: 1_000 }, () => 0), limitMs: 49_000 },
    { what: 'one a second', wanted: [0, 1_000, 2_000], limitMs: 2_000 },
    { what: 'none', wanted: [], limitMs: 0 },
  ])('lets $what be launched in $limitMs ms', ({ wanted, limitMs }) => {
    expect(quotaLimitMs(wanted)).toBeCloseTo(limitMs);
  });
});
