/** An engine that says less than Docker, as ECS does: nothing of runners, and no hints. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Driver, ObservedTask, TaskKey } from '../../../launcher/driver.ts';
import { memoryDriver } from '../../../launcher/drivers/memory.ts';
import { NO_PROFILE, PROFILE } from '../core/plan-world.ts';
import { World } from './world.ts';

const blind = (task: ObservedTask): ObservedTask => ({ ...task, runner: null });

describe('an engine that says less', () => {
  let world: World;
  let stops: string[];
  beforeEach(() => {
    world = new World({ startDelayMs: 20_000 });
    stops = [];
  });
  afterEach(() => world.end());

  function driver(): Driver {
    const right = memoryDriver(world.engine, { deployment: 'us' });
    return {
      traits: right.traits,
      async launch(request, signal) {
        const result = await right.launch(request, signal);
        return result.outcome === 'accepted' ? { ...result, task: blind(result.task) } : result;
      },
      list: async (signal) => (await right.list(signal)).map(blind),
      stop(taskId, how, signal) {
        stops.push(how.reason);
        return right.stop(taskId, how, signal);
      },
      remove: (taskId, signal) => right.remove(taskId, signal),
      [Symbol.asyncDispose]: () => right[Symbol.asyncDispose](),
    };
  }

  async function start(runner?: true) {
    const profile = runner ? { ...PROFILE, runner } : PROFILE;
    const profiles = { list: [profile], unmatched: NO_PROFILE };
    const launcher = await world.launcher({ driver: driver(), profiles });
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    return launcher;
  }

  it('is told by the profile whether its tasks run our runner', async () => {
    await start(true);
    await world.clock.advance(25_000);
    world.finish('r-RM_a-1', 0);
    await world.clock.advance(60_000);
    // The runner's 0 is a good end.
    expect(world.tasks()).toEqual(['r-RM_a-1:ended']);
  });

  it('has foreign tasks otherwise, whose 0 says nothing', async () => {
    await start();
    await world.clock.advance(25_000);
    world.finish('r-RM_a-1', 0);
    await world.clock.advance(60_000);
    expect(world.tasks()).toEqual(['r-RM_a-1:ended', 'r-RM_a-2:live']);
  });

  it.each([
    [true, 1],
    [undefined, 2],
  ] as const)(
    'a standby of our runner (%s) takes a room as soon as it has registered',
    async (runner, tasks) => {
      const profile = { ...PROFILE, name: 'default', standby: 1, ...(runner && { runner }) };
      const profiles = { list: [profile], unmatched: NO_PROFILE };
      const launcher = await world.launcher({ driver: driver(), profiles });
      await world.clock.advance(40_000);
      const [standby = ''] = world.tasks();
      launcher.socketChanged(standby.replace(/:.*/, '') as TaskKey, 'registered');
      await world.settle();
      world.livekit.open('a');
      await world.webhook(launcher, 'room_started', 'a');
      // Another worker is not ready yet: the room gets a task of its own.
      expect(world.tasks()).toHaveLength(tasks);
    },
  );

  it('is looked at every five seconds while a task is on its way, and no more after that', async () => {
    await start(true);
    // Right after the full look: the next one is half a minute away.
    world.finish('r-RM_a-1', 1);
    await world.clock.advance(7_000);
    expect(world.tasks()).toEqual(['r-RM_a-1:ended', 'r-RM_a-2:live']);
  });

  it('keeps with a stop what the end then means', async () => {
    const launcher = await start(true);
    await world.clock.advance(25_000);
    launcher.stopRoom('a');
    await world.clock.advance(5_000);
    expect(stops).toEqual(['served: stopped by an operator']);
  });
});
