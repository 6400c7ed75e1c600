/** The reconciler as a whole: rooms come and go, things fail, launchers are killed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Driver, isTaskKey } from '../../../launcher/driver.ts';
import { memoryDriver } from '../../../launcher/drivers/memory.ts';
import { Gate } from '../../../launcher/dev/wait.ts';
import { delay } from '../../../launcher/lib/clock.ts';
import { World } from './world.ts';

const KEY = 'r-RM_a-1';
const key = (text: string) => {
  if (!isTaskKey(text)) throw new Error(`"${text}" is no task key`);
  return text;
};

describe('the reconciler', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(async () => {
    await world.end();
    expect(world.clock.pending, 'timers left behind').toBe(0);
  });

  it('launches one task for a room, however often its webhook comes', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    for (let n = 0; n < 10; n++) {
      launcher.heard({ event: 'room_started', roomName: 'a', sid: 'RM_a' });
    }
    await world.settle();
    await world.webhook(launcher, 'room_started', 'a');
    expect(world.tasks()).toEqual([`${KEY}:live`]);
  });

  it('serves a room whose webhook was lost by the next resync', async () => {
    await world.launcher();
    world.livekit.open('a');
    await world.clock.advance(29_000);
    expect(world.tasks()).toEqual([]);
    await world.clock.advance(2_000);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
  });

  it('serves a room that LiveKit lists only a moment after its webhook', async () => {
    const launcher = await world.launcher();
    await world.webhook(launcher, 'room_started', 'a');
    world.livekit.open('a');
    await world.clock.advance(200);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
  });

  it('gives each of ten rooms a task of its own, in order, within its launch slots', async () => {
    const bounds = { inFlight: 2, perSecond: 100, perNamePerMinute: 9 };
    const launcher = await world.launcher({ bounds });
    const names = Array.from('abcdefghij');
    for (const name of names) {
      world.livekit.open(name);
      launcher.heard({ event: 'room_started', roomName: name, sid: `RM_${name}` });
    }
    await world.settle();
    expect(world.tasks()).toHaveLength(2);
    launcher.socketChanged(key('r-RM_a-1'), 'registered');
    await world.settle();
    expect(world.tasks(), 'one has registered: the next goes').toHaveLength(3);
    world.finish('r-RM_b-1', 0);
    await world.settle();
    expect(world.tasks(), 'one has ended: the next goes').toHaveLength(4);
    await world.clock.advance(60_000);
    expect(world.tasks().map((task) => task.split(':')[0])).toEqual(
      names.map((name) => `r-RM_${name}-1`),
    );
  });

  it('keeps to its launch rate', async () => {
    const bounds = { inFlight: 99, perSecond: 3, perNamePerMinute: 9 };
    const launcher = await world.launcher({ bounds });
    for (const name of 'abcdefghij') {
      world.livekit.open(name);
      launcher.heard({ event: 'room_started', roomName: name, sid: `RM_${name}` });
    }
    await world.settle();
    expect(world.tasks()).toHaveLength(3);
    await world.clock.advance(1_000);
    expect(world.tasks()).toHaveLength(6);
    await world.clock.advance(3_000);
    expect(world.tasks()).toHaveLength(10);
  });

  it('breaks a loop that brings one room back each time it ends', async () => {
    const bounds = { inFlight: 99, perSecond: 99, perNamePerMinute: 5 };
    const launcher = await world.launcher({ bounds });
    for (let n = 1; n <= 20; n++) {
      world.livekit.open('a', `RM_a${n}`);
      await world.webhook(launcher, 'room_started', 'a', `RM_a${n}`);
      world.livekit.close('a');
      await world.webhook(launcher, 'room_finished', 'a', `RM_a${n}`);
    }
    expect(world.tasks()).toHaveLength(5);
  });

  it('ends the task of a room that is over: its job first, SIGTERM ten seconds later', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    world.livekit.close('a');
    await world.webhook(launcher, 'room_finished', 'a');
    expect(world.terminated).toEqual([KEY]);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
    await world.clock.advance(10_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`]);
    await world.clock.advance(700_000);
    expect(world.tasks()).toEqual([]);
    expect(launcher.memory.rooms.size).toBe(0);
  });

  it('leaves a task alone when its room is missing from one list', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    const room = world.livekit.rooms.get('a')!;
    world.livekit.close('a');
    await world.webhook(launcher, 'participant_joined', 'a');
    world.livekit.rooms.set('a', room);
    await world.clock.advance(50_000);
    expect(world.terminated).toEqual([]);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
  });

  it('relaunches a killed task, and gives up when the retries are used up', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    for (const attempt of [1, 2, 3, 4]) {
      expect(world.tasks().at(-1)).toBe(`r-RM_a-${attempt}:live`);
      world.finish(`r-RM_a-${attempt}`, 137);
      await world.clock.advance(6_000);
    }
    expect(world.tasks()).toHaveLength(4);
    const room = launcher.memory.room(launcher.memory.named('a')[0]!.sid);
    expect(room.state).toBe('failed');
    expect(room.reason).toMatch(/4 of 4 attempts failed: exit 137/);
    await world.clock.advance(120_000);
    expect(world.said('run.fail')).toBe(1);
  });

  it.each(['webhook', 'list'])(
    'tells once that an agent is in its room, seen by %s',
    async (by) => {
      const launcher = await world.launcher();
      world.livekit.open('a');
      await world.webhook(launcher, 'room_started', 'a');
      world.livekit.joins('a', key(KEY));
      const participant = { identity: 'agent-RM_a', kind: 'agent', taskKey: KEY } as const;
      const joined = { event: 'participant_joined', roomName: 'a', sid: 'RM_a', participant };
      if (by === 'webhook') launcher.heard(joined);
      await world.clock.advance(90_000);
      launcher.heard(joined);
      const told = world.log.lines.filter(({ text }) => text === 'task.active');
      expect(told).toMatchObject([
        { level: 'info', fields: { task: KEY, sid: 'RM_a', attempt: 1, seen_by: by } },
      ]);
    },
  );

  it("believes no agent's word about another room's task", async () => {
    const launcher = await world.launcher();
    for (const name of ['a', 'b']) {
      world.livekit.open(name);
      await world.webhook(launcher, 'room_started', name);
    }
    const participant = { identity: 'agent-RM_b', kind: 'agent', taskKey: KEY } as const;
    launcher.heard({ event: 'participant_joined', roomName: 'b', sid: 'RM_b', participant });
    await world.settle();
    expect(world.said('task.active')).toBe(0);
  });

  it('leaves a room alone whose agent ended by itself', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    world.finish(KEY, 0);
    await world.clock.advance(120_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`]);
  });

  it('adopts what runs after a kill: none doubled, none stopped, the end still cleans up', async () => {
    const first = await world.launcher();
    world.livekit.open('a');
    await world.webhook(first, 'room_started', 'a');
    world.livekit.joins('a', key(KEY));
    await first.stop();
    const second = await world.launcher();
    await world.clock.advance(90_000);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
    world.livekit.close('a');
    await world.webhook(second, 'room_finished', 'a');
    await world.clock.advance(10_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`]);
  });

  it('clears up tasks of rooms that ended while no launcher ran', async () => {
    const first = await world.launcher();
    world.livekit.open('a');
    await world.webhook(first, 'room_started', 'a');
    await first.stop();
    world.livekit.close('a');
    await world.launcher();
    expect(world.terminated).toEqual([]);
    await world.clock.advance(10_000);
    expect(world.terminated).toEqual([KEY]);
    await world.clock.advance(11_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`]);
  });

  it("never touches another deployment's tasks", async () => {
    const theirs = await world.launcher({ deployment: 'them' });
    world.livekit.open('a');
    await world.webhook(theirs, 'room_started', 'a');
    await theirs.stop();
    world.livekit.close('a');
    await world.launcher();
    await world.clock.advance(900_000);
    expect(world.tasks('them')).toEqual([`${KEY}:live`]);
    expect(world.terminated).toEqual([]);
  });

  it('does nothing while LiveKit is away, says so once, and goes on afterwards', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    world.livekit.joins('a', key(KEY));
    await world.clock.advance(10_000);
    world.livekit.down = true;
    await world.clock.advance(300_000);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
    expect(world.said('LiveKit does not answer; retrying')).toBe(1);
    world.livekit.down = false;
    world.livekit.open('b');
    await world.clock.advance(31_000);
    expect(world.tasks()).toEqual([`${KEY}:live`, 'r-RM_b-1:live']);
  });

  it('counts no deadline while participants cannot be listed', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    world.livekit.participantsDown = true;
    await world.clock.advance(300_000);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
  });

  it('does nothing while the engine is away, and serves everything afterwards', async () => {
    const launcher = await world.launcher();
    world.engine.down = true;
    for (const name of ['a', 'b']) {
      world.livekit.open(name);
      await world.webhook(launcher, 'room_started', name);
    }
    await world.clock.advance(60_000);
    expect(world.tasks()).toEqual([]);
    world.engine.down = false;
    await world.clock.advance(40_000);
    expect(world.tasks().toSorted()).toEqual([`${KEY}:live`, 'r-RM_b-1:live']);
  });

  it('finds the one task again when the answer to its launch was lost', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    world.engine.loseAnswers = 1;
    await world.webhook(launcher, 'room_started', 'a');
    await world.clock.advance(10_000);
    expect(world.said('task.launch')).toBeGreaterThan(0);
    expect(world.tasks()).toEqual([`${KEY}:live`]);
  });

  it('gives up at once when the engine refuses for good', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    world.engine.refusal = {
      outcome: 'refused',
      reason: 'invalid',
      retry: 'never',
      detail: 'no file',
    };
    await world.webhook(launcher, 'room_started', 'a');
    expect(launcher.memory.named('a')[0]).toMatchObject({ state: 'failed' });
    expect(launcher.memory.named('a')[0]?.reason).toMatch(/no file/);
  });

  it('repeats the launch of a task that was created and never started, and no hot loop', async () => {
    world.livekit.open('a');
    world.engine.create('us', KEY, { template: '/agent.js', env: {} });
    await world.launcher();
    expect(world.tasks()).toEqual([`${KEY}:live`]);
    expect([...world.engine.tasks.values()][0]?.begun).toBe(true);
    expect(world.said('task.launch')).toBe(1);
  });

  it('leaves it to the start deadline when that repeat is refused', async () => {
    world = new World();
    world.livekit.open('a');
    const launcher = await world.launcher({ driver: world.stubborn() });
    await world.clock.advance(120_000);
    expect(world.said('task.launch')).toBe(1);
    await world.clock.advance(500_000);
    expect(launcher.memory.task(key(KEY)).ending).toMatchObject({ cause: 'never-started' });
  });

  it('is not misled by a list that lags behind its own launches', async () => {
    world = new World({ listLagMs: 20_000 });
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    for (let n = 0; n < 10; n++) {
      await world.clock.advance(4_000);
      await world.webhook(launcher, 'participant_joined', 'a');
    }
    expect(world.tasks()).toEqual([`${KEY}:live`]);
  });

  it('ends a task whose agent never joins, and tries again', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    await world.clock.advance(66_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`, 'r-RM_a-2:live']);
    expect(world.terminated).toEqual([]);
    const end = world.log.lines.find((line) => line.text === 'task.end');
    expect(end?.fields).toMatchObject({ livekit_url: 'ws://livekit.example' });
  });

  it('ends a task whose agent went missing from the room, and tries again', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    world.livekit.joins('a', key(KEY));
    await world.clock.advance(40_000);
    world.livekit.leaves('a');
    await world.clock.advance(75_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`, 'r-RM_a-2:live']);
  });

  it('ends the run of a room that an operator stops, and launches nothing more', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    expect(launcher.stopRoom('nobody')).toBe('unknown');
    expect(launcher.stopRoom('a')).toBe('accepted');
    await world.settle();
    expect(world.terminated).toEqual([KEY]);
    await world.clock.advance(120_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`]);
    expect(launcher.stopRoom('a')).toBe('nothing-to-stop');
    expect(launcher.stopTask(KEY)).toBe('nothing-to-stop');
    expect(launcher.stopTask('r-RM_z-1')).toBe('unknown');
  });

  it('ends what an operator stopped while its launch was under way', async () => {
    const right = memoryDriver(world.engine, { deployment: 'us' });
    const answer = new Gate();
    const launch: Driver['launch'] = async (...request) => {
      await answer.opened;
      return right.launch(...request);
    };
    const launcher = await world.launcher({ driver: { ...right, launch } });
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    expect(launcher.stopRoom('a')).toBe('accepted');
    answer.open();
    await world.settle();
    expect(world.terminated).toEqual([KEY]);
    await world.clock.advance(120_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`]);
  });

  it('takes back the open offer of a task that is one too many, before it stops it', async () => {
    world.engine.begin(world.engine.create('us', 'r-RM_a-1', { template: '/agent.js', env: {} }));
    world.engine.begin(world.engine.create('us', 'r-RM_a-2', { template: '/agent.js', env: {} }));
    world.livekit.open('a');
    await world.launcher();
    await world.settle();
    expect(world.withdrawn).toContain('r-RM_a-2');
    expect(world.withdrawn).not.toContain('r-RM_a-1');
  });

  it('launches nothing for a room whose end was seen while an older list was under way', async () => {
    const { livekit } = world;
    const right = livekit.listRooms.bind(livekit);
    let late: Gate | null = null;
    livekit.listRooms = async (signal, name) => {
      const rooms = await right(signal, name);
      if (name === undefined) await late?.opened;
      return rooms;
    };
    const launcher = await world.launcher();
    livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    livekit.joins('a', key(KEY));
    await world.clock.advance(10_000);
    late = new Gate();
    await world.clock.advance(30_000); // A full list has begun, with the room in it.
    livekit.close('a');
    await world.webhook(launcher, 'room_finished', 'a');
    world.finish(KEY, 0);
    await world.settle();
    late.open();
    await world.clock.advance(60_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`]);
  });

  it('ends the agent of a former life when the name comes back', async () => {
    const launcher = await world.launcher();
    world.livekit.open('a');
    await world.webhook(launcher, 'room_started', 'a');
    world.livekit.close('a');
    world.livekit.open('a', 'RM_a2');
    await world.webhook(launcher, 'room_started', 'a', 'RM_a2');
    expect(world.tasks()).toEqual([`${KEY}:live`, 'r-RM_a2-1:live']);
    await world.webhook(launcher, 'room_finished', 'a');
    expect(world.terminated).toEqual([KEY]);
    await world.clock.advance(11_000);
    expect(world.tasks()).toEqual([`${KEY}:ended`, 'r-RM_a2-1:live']);
  });

  it('asks LiveKit no more about a room for having other rooms', async () => {
    const launcher = await world.launcher();
    for (const name of 'bcdefgh') {
      world.livekit.open(name);
      await world.webhook(launcher, 'room_started', name);
    }
    world.livekit.calls.length = 0;
    world.livekit.open('a');
    launcher.heard({ event: 'room_started', roomName: 'a', sid: 'RM_a' });
    await world.clock.advance(0);
    expect(new Set(world.livekit.calls)).toEqual(new Set(['ListRooms a', 'ListParticipants a']));
  });

  it('serves a task that another launcher launched after our first pass, without a resync', async () => {
    const old = await world.launcher();
    const next = await world.launcher();
    world.livekit.open('a');
    await world.webhook(old, 'room_started', 'a');
    expect(world.tasks()).toEqual([`${KEY}:live`]);
    await old.stop();
    next.socketChanged(key(KEY), 'registered');
    await world.clock.advance(2_000);
    const look = await next.handOver.look(key(KEY), new AbortController().signal);
    expect(look).toMatchObject({ decision: 'offer' });
  });

  it('spends as much on a webhook among a thousand rooms as on one among none', async () => {
    const bounds = { inFlight: 2_000, perSecond: 2_000, perNamePerMinute: 20 };
    const callsFor = async (rooms: number) => {
      const crowd = new World();
      for (let n = 0; n < rooms; n++) {
        crowd.livekit.open(`room${n}`);
        crowd.engine.begin(crowd.engine.create('us', `r-RM_room${n}-1`, { template: '', env: {} }));
        crowd.livekit.joins(`room${n}`, key(`r-RM_room${n}-1`));
      }
      const launcher = await crowd.launcher({ bounds });
      await crowd.clock.advance(5_000);
      crowd.livekit.calls.length = 0;
      crowd.livekit.open('new');
      await crowd.webhook(launcher, 'room_started', 'new');
      expect(crowd.tasks().filter((task) => task.startsWith('r-RM_new'))).toHaveLength(1);
      await crowd.end();
      return [...crowd.livekit.calls];
    };
    expect(await callsFor(1_000)).toEqual(await callsFor(0));
  });

  it('looks at a nudged room before those of a full pass that goes on', async () => {
    for (let n = 0; n < 200; n++) world.livekit.open(`room${n}`);
    const read = world.livekit.listParticipants.bind(world.livekit);
    world.livekit.listParticipants = async (name) => {
      await delay(world.clock, 50);
      return read(name);
    };
    const launcher = await world.launcher({
      bounds: { inFlight: 999, perSecond: 999, perNamePerMinute: 20 },
    });
    world.livekit.open('new');
    launcher.heard({ event: 'room_started', roomName: 'new', sid: 'RM_new' });
    await world.clock.advance(200);
    const launched = world.tasks();
    expect(launched).toContain('r-RM_new-1:live');
    expect(launched.length).toBeLessThan(100);
    await world.clock.advance(9_000);
    expect(world.tasks()).toHaveLength(201);
  });
});
