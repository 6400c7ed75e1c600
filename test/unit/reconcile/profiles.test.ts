/** Rooms of several profiles: what is launched for them, with what, and what a change does. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Profile, Profiles } from '../../../launcher/core/desired.ts';
import { isTaskKey, type LaunchRequest } from '../../../launcher/driver.ts';
import { memoryDriver } from '../../../launcher/drivers/memory.ts';
import { NO_PROFILE, PROFILE } from '../core/plan-world.ts';
import { World } from './world.ts';

const SUPPORT: Profile = {
  ...PROFILE,
  name: 'support',
  template: 'support:1',
  match: { room: 'support-*' },
  cpu: 2,
  memoryMiB: 2048,
  env: { MODE: 'calm', LIVEKIT_API_KEY: 'not-this-one' },
  envFile: '/support.env',
  agentName: 'supporter',
  options: { user: '10001', readOnly: false },
};
const SKIP: Profile = { ...PROFILE, name: 'skip', match: { room: 'test-*' }, launch: false };
const PROFILES: Profiles = {
  list: [SUPPORT, SKIP, { ...PROFILE, match: { metadata: { tier: 'gold' } } }],
  unmatched: NO_PROFILE,
};
const asking = (profile: string) => JSON.stringify({ 'room-launcher': { profile } });

describe('profiles', () => {
  let world: World;
  let requests: LaunchRequest[];
  beforeEach(() => {
    world = new World();
    requests = [];
  });
  afterEach(() => world.end());

  async function start() {
    const driver = memoryDriver(world.engine, { deployment: 'us' });
    const launcher = await world.launcher({
      profiles: PROFILES,
      driver: {
        ...driver,
        launch: (request, signal) => {
          requests.push(request);
          return driver.launch(request, signal);
        },
      },
    });
    return {
      launcher,
      opens: async (name: string, metadata = '') => {
        world.livekit.open(name, `RM_${name.replace('-', '_')}`, metadata);
        await world.webhook(launcher, 'room_started', name, `RM_${name.replace('-', '_')}`);
      },
      room: (name: string) => launcher.memory.named(name)[0]!,
    };
  }

  it('say what is launched, with what', async () => {
    const { opens } = await start();
    await opens('support-1');
    await opens('any', '{"tier":"gold"}');
    expect(requests).toEqual([
      {
        key: 'r-RM_support_1-1',
        template: 'support:1',
        cpu: 2,
        memoryMiB: 2048,
        profile: 'support',
        env: {
          MODE: 'calm',
          LIVEKIT_AGENT_NAME_OVERRIDE: 'supporter',
          LIVEKIT_API_KEY: 'r-RM_support_1-1',
        },
        envFile: '/support.env',
        options: { user: '10001', readOnly: false },
      },
      {
        key: 'r-RM_any-1',
        template: PROFILE.template,
        cpu: 1,
        memoryMiB: 1024,
        profile: 'default',
        env: { LIVEKIT_API_KEY: 'r-RM_any-1' },
      },
    ]);
  });

  it('launch nothing for rooms that none matches or that are to be skipped', async () => {
    const { launcher, opens, room } = await start();
    await opens('test-1');
    await opens('any');
    world.livekit.calls.length = 0;
    await world.clock.advance(90_000);
    expect(requests).toEqual([]);
    expect(room('test-1')).toMatchObject({ state: 'skipped' });
    expect(launcher.profileOf(room('test-1')).name).toBe('skip');
    expect(room('any')).toMatchObject({ state: 'skipped', reason: 'no profile matches the room' });
    expect(world.livekit.calls.filter((call) => call.startsWith('ListParticipants'))).toEqual([]);
  });

  it('are read anew: metadata that comes later calls for a launch', async () => {
    const { opens } = await start();
    await opens('any');
    world.livekit.open('any', 'RM_any', asking('support'));
    await world.clock.advance(31_000);
    expect(requests.map(({ profile }) => profile)).toEqual(['support']);
  });

  it('leave a task that runs, whatever becomes of its room', async () => {
    const { opens } = await start();
    await opens('support-1');
    const key = 'r-RM_support_1-1';
    if (!isTaskKey(key)) throw new Error('no key');
    world.livekit.open('support-1', 'RM_support_1', asking('skip'));
    world.livekit.joins('support-1', key);
    await world.clock.advance(120_000);
    expect(world.tasks()).toEqual([`${key}:live`]);
    world.finish(key, 1);
    world.livekit.leaves('support-1');
    await world.clock.advance(120_000);
    expect(world.tasks()).toEqual([`${key}:ended`]);
  });

  it('give a job its agent name', async () => {
    const { launcher, opens } = await start();
    await opens('support-1');
    const asked: string[] = [];
    world.livekit.dispatchOf = async (_name: string, agentName = '') => {
      asked.push(agentName);
      return { dispatchId: 'AD_1', metadata: 'for the supporter' };
    };
    const key = requests[0]!.key;
    const look = await launcher.handOver.look(key, new AbortController().signal);
    expect(asked).toEqual(['supporter']);
    expect(look).toMatchObject({
      job: { agentName: 'supporter', dispatchId: 'AD_1', metadata: 'for the supporter' },
    });
  });

  it('that do not exist are told once per room, in words fit for a log', async () => {
    const { opens } = await start();
    await opens('support-1', asking('suport'));
    await opens('any', asking('Jane Doe'));
    await world.clock.advance(45_000);
    const told = world.log.lines.filter(({ text }) => text.includes('does not exist'));
    expect(told.map(({ fields }) => fields)).toEqual([
      { sid: 'RM_support_1', asked: 'suport', profile: 'support' },
      { sid: 'RM_any', asked: undefined, profile: null },
    ]);
    expect(requests.map(({ profile }) => profile)).toEqual(['support']);
  });

  it('hold for a room that is over, too', async () => {
    const { launcher, opens, room } = await start();
    await opens('support-1');
    world.livekit.close('support-1');
    await world.webhook(launcher, 'room_finished', 'support-1', 'RM_support_1');
    expect(launcher.profileOf(room('support-1')).name).toBe('support');
  });
});
