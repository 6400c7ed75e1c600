/** Rooms of several profiles through containers: which one serves a room, and what its task gets. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentDispatchClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import {
  AGENT_IMAGE,
  agentImage,
  containerOf,
  roomIn,
  startDockerBed,
  type DockerBed,
} from '../support/docker-bed.ts';
import { outputOf } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { ended, fullPasses, launches, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

/** Prints what its job and its environment tell it. */
const TELLING_AGENT = `
import { defineAgent } from '@livekit/agents';
export default defineAgent({
  entry: async (ctx) => {
    const { LIVEKIT_AGENT_NAME_OVERRIDE: name, MODE, SECRET } = process.env;
    console.log('TOLD', JSON.stringify([ctx.job.metadata, ctx.job.agentName, name, MODE, SECRET]));
    await ctx.connect();
  },
});
`;

describeWith('livekit', 'docker')('profiles on the Docker engine', () => {
  const cleanup = new Cleanup();
  let bed: DockerBed;
  let dispatches: AgentDispatchClient;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'profiles-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const image = await agentImage(cleanup, TELLING_AGENT);
    const envFile = join(folder, 'support.env');
    await writeFile(envFile, 'SECRET=of-the-file\nMODE=of-the-file\n');
    const config = join(folder, 'launcher.yaml');
    await writeFile(
      config,
      `
profiles:
  - name: support
    match: { room: support-* }
    image: ${image}
    cpu: 0.75
    memoryMiB: 768
    agentName: supporter
    env: { MODE: calm }
    envFile: ${envFile}
    user: 10002:10002
    readOnly: false
    tmpfs: { /cache: "size=1m" }
  - name: gold
    match: { metadata: { tier: gold } }
    image: ${AGENT_IMAGE}
  - name: skip
    match: { room: test-* }
    launch: false
`,
    );
    const env = { LAUNCHER_CONFIG: config, LAUNCHER_AGENT_IMAGE: '', LAUNCHER_RESYNC_SECONDS: '1' };
    bed = await startDockerBed(cleanup, { env });
    const { url, apiKey, apiSecret } = bed.server;
    dispatches = new AgentDispatchClient(url.replace('ws', 'http'), apiKey, apiSecret.reveal());
  });
  afterAll(() => cleanup.run());

  async function profileShown(sid: string): Promise<string | null | undefined> {
    return (await bed.launcher.rooms()).find((room) => room.sid === sid)?.profile;
  }

  test("by the room's name, with all that the profile says and its dispatch's metadata", async () => {
    await dispatches.createDispatch('support-1', 'supporter', { metadata: 'from the dispatch' });
    const { sid, key, agent } = await served(bed, 'support-1');
    expect(agent.attributes).toMatchObject({ 'lk.agent_name': 'supporter' });
    const { Id, Config, HostConfig } = await containerOf(bed, key);
    expect(Config.User).toBe('10002:10002');
    expect(Config.Labels).toMatchObject({ 'room-launcher.profile': 'support' });
    expect(Config.Env).toEqual(
      expect.arrayContaining(['LIVEKIT_AGENT_NAME_OVERRIDE=supporter', 'MODE=calm']),
    );
    expect(HostConfig).toMatchObject({
      ReadonlyRootfs: false,
      Tmpfs: { '/cache': 'size=1m', '/tmp': expect.stringContaining('noexec') },
      NanoCpus: 0.75e9,
      Memory: 768 * 1024 * 1024,
      CapDrop: ['ALL'],
    });
    const told = ['from the dispatch', 'supporter', 'supporter', 'calm', 'of-the-file'];
    await waitFor('what the agent was told', async () =>
      (await outputOf(Id)).includes(`TOLD ${JSON.stringify(told)}`),
    );
    expect(await profileShown(sid)).toBe('support');
    await bed.rooms.deleteRoom('support-1');
    expect(await ended(bed.launcher, key)).toMatchObject({ verdict: 'served' });
  });

  test("by the room's metadata, whose name of a profile wins over a match", async () => {
    await bed.rooms.createRoom({ name: 'any', metadata: '{"tier":"gold"}' });
    const asked = '{"room-launcher":{"profile":"gold"}}';
    await bed.rooms.createRoom({ name: 'test-asked', metadata: asked });
    for (const name of ['any', 'test-asked']) {
      const { sid, key } = await served(bed, name);
      const { Config, HostConfig } = await containerOf(bed, key);
      expect(Config).toMatchObject({ User: '10001:10001', Image: AGENT_IMAGE });
      expect(Config.Labels).toMatchObject({ 'room-launcher.profile': 'gold' });
      expect(Config.Env.join()).not.toMatch(/AGENT_NAME|MODE|SECRET=of/);
      expect(HostConfig.ReadonlyRootfs).toBe(true);
      expect(await profileShown(sid)).toBe('gold');
      await bed.rooms.deleteRoom(name);
    }
  });

  test('nothing for a room that is to be skipped, or that none matches', async () => {
    const before = launches(bed.launcher).length;
    const skipped = await bed.rooms.createRoom({ name: 'test-1' });
    const unmatched = await bed.rooms.createRoom({ name: 'other' });
    expect(await roomIn(bed, skipped.sid, 'skipped')).toMatchObject({
      profile: 'skip',
      task: null,
    });
    expect(await roomIn(bed, unmatched.sid, 'skipped')).toMatchObject({ profile: null });
    await fullPasses(bed.launcher, 2);
    expect(launches(bed.launcher).slice(before)).toEqual([]);
    // Metadata that comes later is seen by the next full pass.
    await bed.rooms.updateRoomMetadata('other', '{"tier":"gold"}');
    expect(await served(bed, 'other')).toMatchObject({ sid: unmatched.sid });
  });
});
