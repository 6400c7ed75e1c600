/** An engine's list that lags may leave out what an earlier one showed. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { memoryDriver } from '../../../launcher/drivers/memory.ts';
import type { Driver } from '../../../launcher/driver.ts';
import { World } from './world.ts';

const LAG_MS = 5_000;
const KEY = 'r-RM_a-1';

let world: World;
let leavesOut = false;
beforeEach(() => {
  world = new World({ listLagMs: LAG_MS });
  leavesOut = false;
});
afterEach(() => world.end());

function forgetful(): Driver {
  const driver = memoryDriver(world.engine, { deployment: 'us' });
  return {
    ...driver,
    list: async (signal) => (leavesOut ? [] : driver.list(signal)),
  };
}

/** A served room, once the list has shown its task. */
async function served() {
  const launcher = await world.launcher({ driver: forgetful(), resyncMs: 1_000 });
  world.livekit.open('a');
  await world.webhook(launcher, 'room_started', 'a');
  await world.clock.advance(2 * LAG_MS);
  expect(world.tasks()).toEqual([`${KEY}:live`]);
  return launcher;
}

it('a list that leaves a task out for less than its lag costs no second one', async () => {
  const launcher = await served();
  leavesOut = true;
  await world.clock.advance(LAG_MS - 2_000);
  expect(launcher.observer.allTasks().map(({ key }) => key)).toEqual([KEY]);
  leavesOut = false;
  await world.clock.advance(2 * LAG_MS);
  expect(world.tasks()).toEqual([`${KEY}:live`]);
});

it('one that is left out for longer has ended unseen', async () => {
  const launcher = await served();
  leavesOut = true;
  await world.clock.advance(LAG_MS + 2_000);
  expect(launcher.observer.allTasks().map(({ key }) => key)).not.toContain(KEY);
});
