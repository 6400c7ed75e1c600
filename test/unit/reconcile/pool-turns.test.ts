/**
 * Whose turn it is: standbys start one after another, and none keeps the turn when it is over; passes
 * over all of them leave others their time.
 */
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import { NO_PROFILE, PROFILE } from '../core/plan-world.ts';
import { World } from './world.ts';

const POOL = { list: [{ ...PROFILE, standby: 2 }], unmatched: NO_PROFILE };
/** Room for one standby at a time, half of it. */
const BOUNDS = { inFlight: 2, perSecond: 100, perNamePerMinute: 20 };

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

it('a standby that ends without having registered gives its turn to the next one', async () => {
  await world.launcher({ profiles: POOL, bounds: BOUNDS });
  const [first = ''] = world.tasks().map((task) => task.split(':')[0] ?? '');
  expect(world.tasks()).toHaveLength(1);
  world.finish(first, 1);
  await world.clock.advance(2_000);
  expect(world.tasks()).toHaveLength(2);
});

it('standbys that register while a pass rests share the next one', async () => {
  const launcher = await world.launcher({ profiles: POOL, bounds: { ...BOUNDS, inFlight: 4 } });
  const keys = world.tasks().map((task) => task.split(':')[0] as TaskKey);
  let nowMs = world.clock.nowMs();
  // A pass takes time: each look at the clock does.
  vi.spyOn(world.clock, 'nowMs').mockImplementation(() => (nowMs += 1));
  const looks = vi.spyOn(launcher.memory.standbys, 'trouble');
  const registers = async (key: TaskKey) => {
    launcher.socketChanged(key, 'registered');
    for (let n = 0; n < 5; n += 1) await setImmediate();
  };
  await registers(keys[0]!);
  const ofOnePass = looks.mock.calls.length;
  expect(ofOnePass).toBeGreaterThan(0);
  for (let n = 0; n < 5; n += 1) await registers(keys[1]!);
  expect(looks).toHaveBeenCalledTimes(ofOnePass);
  await world.settle();
  expect(looks.mock.calls.length).toBeGreaterThan(ofOnePass);
  expect(launcher.isReadyStandby(keys[1]!)).toBe(true);
});
