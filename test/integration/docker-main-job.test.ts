/** The main job through containers on a bridge network, as users run it. */
import { randomBytes } from 'node:crypto';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import {
  containerOf,
  containersOf,
  startDockerBed,
  type DockerBed,
} from '../support/docker-bed.ts';
import { docker, outputOf } from '../support/docker-engine.ts';
import { commandLines, leaks } from '../support/evidence.ts';
import { describeWith } from '../support/left-out.ts';
import { ended, launches, served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';

const ROOM = 'consultation-of-jane-doe';
const VISITOR = 'jane.doe@example.org';
const GATEWAY_SECRET = randomBytes(32).toString('hex');

describeWith('livekit', 'docker')('a room on the Docker engine', () => {
  const cleanup = new Cleanup();
  let bed: DockerBed;

  beforeEach(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'agent-env-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const envFile = join(folder, 'agent.env');
    await writeFile(envFile, 'LIVEKIT_AGENT_NAME=greeter\nLIVEKIT_API_SECRET=of-the-file\n');
    const env = { LAUNCHER_AGENT_ENV_FILE: envFile, LAUNCHER_GATEWAY_SECRET: GATEWAY_SECRET };
    bed = await startDockerBed(cleanup, { env });
  });
  afterEach(() => cleanup.run());

  test('gets one hardened container whose agent greets, and which ends with it', async () => {
    const { server, rooms, launcher, deployment } = bed;
    const visitor = cleanup.use(await visit(server, ROOM, VISITOR));
    const { sid, key, agent } = await served(bed, ROOM);
    expect(key).toBe(`r-${sid}-1`);
    expect(agent.attributes).toEqual({
      'lk.agent_name': 'greeter',
      'lk.agent.name': 'greeter',
      'room-launcher.task': key,
    });
    await visitor.hears(agent.identity, 'Hello');
    await visitor.asks(agent.identity, 'are you there?');

    const [container, ...more] = await containersOf(bed);
    expect(more).toEqual([]);
    expect(container).toMatchObject({
      Name: `/${deployment}.${key}`,
      State: { Running: true, Pid: expect.any(Number) },
      Config: {
        User: '10001:10001',
        Labels: {
          'room-launcher.deployment': deployment,
          'room-launcher.key': key,
          'room-launcher.room': sid,
          'room-launcher.attempt': '1',
          'room-launcher.profile': 'default',
          'room-launcher.runner': '1',
        },
      },
      HostConfig: {
        ReadonlyRootfs: true,
        CapDrop: ['ALL'],
        CapAdd: null,
        Privileged: false,
        SecurityOpt: ['no-new-privileges'],
        Init: true,
        NanoCpus: 1e9,
        Memory: 1024 * 1024 * 1024,
        MemorySwap: 1024 * 1024 * 1024,
        PidsLimit: 1024,
        Binds: null,
        PortBindings: {},
        RestartPolicy: { Name: 'no' },
        AutoRemove: false,
        Tmpfs: { '/tmp': expect.stringContaining('noexec') },
      },
      Mounts: [],
    });
    const { HostConfig, NetworkSettings } = container!;
    expect([HostConfig.PidMode, HostConfig.UTSMode, HostConfig.IpcMode]).not.toContain('host');
    expect(Object.values(NetworkSettings.Networks).map(({ NetworkID }) => NetworkID)).toEqual([
      (await docker.getNetwork(`room-launcher.${deployment}`).inspect()).Id,
    ]);

    await rooms.deleteRoom(ROOM);
    expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    expect((await containerOf(bed, key)).State).toMatchObject({ Running: false, ExitCode: 0 });
    expect(launches(launcher)).toEqual([key]);
  });

  test('tells nobody a secret, a room token, or the name of the room', async () => {
    const { server, rooms, launcher } = bed;
    const visitor = cleanup.use(await visit(server, ROOM, VISITOR));
    const { key, agent } = await served(bed, ROOM);
    await visitor.hears(agent.identity, 'Hello');
    const live = JSON.stringify(await containerOf(bed, key));
    const { Id } = await containerOf(bed, key);
    const inside = await docker.getContainer(Id).top({ ps_args: '-eo pid,args' });
    const lines = await commandLines();
    await rooms.deleteRoom(ROOM);
    await ended(launcher, key);
    const evidence = new Map([
      ['inspect, live', live],
      ['inspect, ended', JSON.stringify(await containerOf(bed, key))],
      ['processes inside', JSON.stringify(inside)],
      ['the log of the task', await outputOf(Id)],
      ['the log of the launcher', launcher.output()],
      ['/api/tasks', JSON.stringify(await launcher.tasks())],
      ...lines,
    ]);
    expect(evidence.get('the log of the task')).toContain('"msg"');
    expect(evidence.get('the log of the launcher')).toContain('"debug"');
    const { Config } = await containerOf(bed, key);
    const own = Config.Env.find((line) => line.startsWith('LIVEKIT_API_SECRET='))?.split('=')[1];
    const secrets = [server.apiSecret.reveal(), GATEWAY_SECRET, 'of-the-file'];
    expect(own).toMatch(/^[\w-]{20,}$/);
    expect(leaks(evidence, [...secrets, ROOM, VISITOR])).toEqual([]);
    // The task's own credential opens the gateway alone, and is no business of the log's.
    const logs = [...evidence].filter(([where]) => !where.startsWith('inspect'));
    expect(leaks(new Map(logs), [own ?? ''])).toEqual([]);
  });
});
