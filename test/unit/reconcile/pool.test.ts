/** The warm pool as a whole: standbys wait, take rooms, fail to, and are replaced. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryDriver } from '../../../launcher/drivers/memory.ts';
import type { Driver, TaskKey } from '../../../launcher/driver.ts';
import type { Reconciler, ReconcilerOptions } from '../../../launcher/reconcile/reconciler.ts';
import { NO_PROFILE, PROFILE } from '../core/plan-world.ts';
import { World } from './world.ts';

/** Standbys are made with these numbers, in this order. */
const [FIRST, SECOND] = [standby(0, 1), standby(0, 2)];
const COLD = 'r-RM_a-1' as TaskKey;

function standby(slot: number, n: number): TaskKey {
  return `s-default-${slot}-0000000${n}` as TaskKey;
}

describe('the warm pool', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(async () => {
    await world.end();
    expect(world.clock.pending, 'timers left behind').toBe(0);
  });

  const start = (size = 1, options: Partial<ReconcilerOptions> = {}) =>
    world.launcher({
      profiles: { list: [{ ...PROFILE, standby: size }], unmatched: NO_PROFILE },
      ...options,
    });
  /** The worker of a standby does this. */
  const does = async (launcher: Reconciler, key: TaskKey, change: Change) => {
    launcher.socketChanged(key, change);
    await world.settle();
  };
  type Change = Parameters<Reconciler['socketChanged']>[1];
  const opens = (launcher: Reconciler, name = 'a') => {
    world.livekit.open(name);
    return world.webhook(launcher, 'room_started', name);
  };
  const joins = async (launcher: Reconciler, key: TaskKey, name = 'a') => {
    await does(launcher, key, 'assigned');
    world.livekit.joins(name, key);
    await world.webhook(launcher, 'participant_joined', name);
  };

  /** A launcher after one whose first standby serves room a. */
  const restart = async () => {
    const old = await start();
    await does(old, FIRST, 'registered');
    await opens(old);
    await joins(old, FIRST);
    await old.stop();
    return start();
  };

  it('of nobody does nothing', async () => {
    const launcher = await start(0);
    await opens(launcher);
    await world.clock.advance(120_000);
    expect(launcher.memory.standbys.idle.size).toBe(0);
    expect(world.tasks().filter((task) => task.startsWith('s-'))).toEqual([]);
  });

  it('gives a room the standby that waits, and replaces it once its agent is in the room', async () => {
    const launcher = await start();
    expect(world.tasks()).toEqual([`${FIRST}:live`]);
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    expect(world.offered).toEqual([FIRST]);
    await does(launcher, FIRST, 'assigned');
    expect(world.tasks()).toEqual([`${FIRST}:live`]);
    world.livekit.joins('a', FIRST);
    await world.webhook(launcher, 'participant_joined', 'a');
    expect(world.tasks()).toEqual([`${FIRST}:live`, `${SECOND}:live`]);
    expect(launcher.memory.room(launcher.memory.sidOf(FIRST)!).state).toBe('serving');
  });

  it('replaces it all the same when its agent does not show up', async () => {
    const launcher = await start();
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    await does(launcher, FIRST, 'assigned');
    await world.clock.advance(2_000);
    expect(world.tasks()).toEqual([`${FIRST}:live`, `${SECOND}:live`]);
  });

  it('launches for a room that finds none ready', async () => {
    const launcher = await start();
    await opens(launcher);
    expect(world.offered).toEqual([]);
    expect(world.tasks()).toEqual([`${FIRST}:live`, `${COLD}:live`]);
  });

  it('offers a room that was refused to the next standby, then launches at once', async () => {
    const launcher = await start(2);
    const [one, two] = [FIRST, standby(1, 2)];
    for (const key of [one, two]) await does(launcher, key, 'registered');
    await opens(launcher);
    await does(launcher, one, 'refused');
    expect(world.offered).toEqual([one, two]);
    await does(launcher, two, 'refused');
    expect(world.offered).toEqual([one, two]);
    expect(world.tasks()).toContain(`${COLD}:live`);
  });

  it('offers one that refused to another room after its rest', async () => {
    const launcher = await start();
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    await does(launcher, FIRST, 'refused');
    await world.clock.advance(5_000);
    await opens(launcher, 'b');
    expect(world.offered).toEqual([FIRST, FIRST]);
  });

  it('asks none twice for the same room, so that its turn for a launch comes', async () => {
    const bounds = { inFlight: 1, perSecond: 9, perNamePerMinute: 9 };
    const launcher = await start(1, { bounds });
    await opens(launcher, 'b');
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    for (let n = 0; n < 3; n++) {
      await does(launcher, FIRST, 'closed');
      await does(launcher, FIRST, 'registered');
    }
    expect(world.offered).toEqual([FIRST]);
    await world.clock.advance(15_000);
    expect(world.tasks()).toContain(`${COLD}:live`);
  });

  it('replaces one that did not answer, and never offers it anything again', async () => {
    const launcher = await start();
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    await does(launcher, FIRST, 'expired');
    expect(world.tasks()).toContain(`${COLD}:live`);
    await opens(launcher, 'b');
    expect(world.offered).toEqual([FIRST]);
    expect(world.terminated).toEqual([FIRST]);
    await world.clock.advance(2_000);
    expect(world.tasks()).not.toContain(`${FIRST}:live`);
    expect(world.tasks()).toContain(`${SECOND}:live`);
  });

  it('takes one back whose line broke before it had the job, and offers it when it is back', async () => {
    const launcher = await start();
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    await does(launcher, FIRST, 'closed');
    expect(world.tasks()).toEqual([`${FIRST}:live`, `${COLD}:live`]);
    await opens(launcher, 'b');
    expect(world.offered).toEqual([FIRST]);
    await does(launcher, FIRST, 'registered');
    await opens(launcher, 'c');
    expect(world.offered).toEqual([FIRST, FIRST]);
  });

  it('leaves the room to one whose line breaks in mid-job', async () => {
    const launcher = await start();
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    await joins(launcher, FIRST);
    await does(launcher, FIRST, 'closed');
    await does(launcher, FIRST, 'registered');
    expect(world.tasks()).toEqual([`${FIRST}:live`, `${SECOND}:live`]);
    expect(world.offered).toEqual([FIRST]);
  });

  it.each([
    ['can take another room when its own is over', false, [FIRST, FIRST], []],
    ['is replaced when it may say yes to that one yet', true, [FIRST], [FIRST]],
  ])('one that was offered a room %s', async (_name, mayAnswer, offered, terminated) => {
    const launcher = await start();
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    if (mayAnswer) world.accepted.add(FIRST);
    world.livekit.close('a');
    await world.webhook(launcher, 'room_finished', 'a');
    await opens(launcher, 'b');
    expect(world.offered).toEqual(offered);
    expect(world.terminated).toEqual(terminated);
  });

  it('calls a room that waits for a launch when a standby is ready', async () => {
    const launcher = await start(1, { bounds: { inFlight: 1, perSecond: 9, perNamePerMinute: 9 } });
    await opens(launcher, 'b');
    await opens(launcher, 'a');
    expect(world.tasks()).not.toContain(`${COLD}:live`);
    await does(launcher, FIRST, 'registered');
    expect(world.offered).toEqual([FIRST]);
  });

  describe('after a restart', () => {
    it('knows a standby by the room that shows it, and retires the one that none shows', async () => {
      const launcher = await restart();
      expect(launcher.memory.sidOf(FIRST)).toBe('RM_a');
      const [, , own] = world.tasks().map((task) => task.slice(0, -':live'.length) as TaskKey);
      for (const key of [SECOND, own!]) await does(launcher, key, 'registered');
      await world.clock.advance(59_000);
      expect(world.terminated).toEqual([]);
      await world.clock.advance(35_000);
      expect(world.terminated).toEqual([SECOND]);
      expect(world.tasks()).toEqual([`${FIRST}:live`, `${own}:live`]);
    });

    it("offers an earlier launcher's standby nothing", async () => {
      const launcher = await restart();
      await does(launcher, SECOND, 'registered');
      await opens(launcher, 'b');
      expect(world.offered).toEqual([FIRST]);
      expect(world.tasks()).toContain('r-RM_b-1:live');
    });

    it('ends nothing while the participants of a room cannot be read', async () => {
      const launcher = await restart();
      await does(launcher, SECOND, 'registered');
      world.livekit.participantsDown = true;
      await world.clock.advance(300_000);
      expect(world.terminated).toEqual([]);
    });

    it('ends no standby that two rooms show', async () => {
      const launcher = await restart();
      world.livekit.open('b');
      world.livekit.joins('b', FIRST);
      await world.webhook(launcher, 'participant_joined', 'b');
      expect(launcher.memory.standbys.get(FIRST)?.contested).toBe(true);
      await world.clock.advance(900_000);
      expect(world.tasks()).toContain(`${FIRST}:live`);
    });

    it('ends what it launched beside a standby that was on its way into the room', async () => {
      const old = await start();
      await does(old, FIRST, 'registered');
      await opens(old);
      await does(old, FIRST, 'assigned');
      await old.stop();
      const launcher = await start();
      expect(world.tasks()).toContain(`${COLD}:live`);
      await does(launcher, COLD, 'registered');
      world.livekit.joins('a', FIRST);
      await world.webhook(launcher, 'participant_joined', 'a');
      expect(launcher.memory.sidOf(FIRST)).toBe('RM_a');
      expect(world.tasks()).toContain(`${COLD}:ended`);
      await world.clock.advance(300_000);
      expect(world.tasks()).toContain(`${FIRST}:live`);
    });
  });

  it('says trouble once, and its end', async () => {
    const launcher = await start();
    const [begins, ends] = [
      'the warm pool of profile default has trouble with its standbys; retrying, and rooms without one are launched for',
      'the warm pool of profile default has a standby again',
    ];
    const waiting = () => {
      const live = world.tasks().find((task) => task.endsWith(':live'));
      return live!.slice(0, -':live'.length) as TaskKey;
    };
    for (let n = 1; n <= 4; n++) {
      const key = waiting();
      world.finish(key, 1);
      await does(launcher, key, 'closed');
      expect(world.said(begins)).toBe(n === 1 ? 0 : 1);
      await world.clock.advance(40_000);
    }
    await does(launcher, waiting(), 'registered');
    expect([world.said(begins), world.said(ends)]).toEqual([1, 1]);
  });

  it.each(['throttled', 'denied'] as const)(
    'knows no better after a lost answer when the repeat is %s: no other key, and no second one',
    async (reason) => {
      const real = memoryDriver(world.engine, { deployment: 'us' });
      const answers = ['unknown', 'refused'];
      const asked: string[] = [];
      const driver: Driver = {
        ...real,
        launch: async (request, signal) => {
          asked.push(request.key);
          const answer = answers.shift();
          if (answer === undefined) return real.launch(request, signal);
          if (answer === 'unknown') await real.launch(request, signal);
          const detail = 'too many calls';
          return answer === 'unknown'
            ? { outcome: 'unknown', detail }
            : { outcome: 'refused', reason, retry: 'same-key', detail };
        },
        list: async () => [],
      };
      await start(1, { driver });
      await world.clock.advance(60_000);
      expect(asked).toEqual([FIRST, FIRST, FIRST]);
    },
  );

  it('goes on, and ends in order, while a launch hangs', async () => {
    const driver = memoryDriver(world.engine, { deployment: 'us' });
    let hang = false;
    const launch: Driver['launch'] = async (request, signal) => {
      if (!hang) return driver.launch(request, signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return { outcome: 'unknown', detail: 'no answer' };
    };
    const launcher = await start(1, { driver: { ...driver, launch } });
    await does(launcher, FIRST, 'registered');
    await opens(launcher);
    hang = true;
    await does(launcher, FIRST, 'assigned');
    launcher.stopTask(FIRST);
    await world.settle();
    let ended = false;
    void launcher.stop().then(() => (ended = true));
    await world.clock.advance(10_000);
    expect(ended).toBe(true);
    await world.clock.advance(60_000);
  });
});
