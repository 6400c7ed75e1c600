/** Whose turn it is to start: standbys one after another, and none keeps the turn when it is over. */
import { afterEach, beforeEach, expect, it } from 'vitest';
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
