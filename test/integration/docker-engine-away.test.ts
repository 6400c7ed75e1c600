/** The Docker engine is away or slow while rooms live: nothing is killed, nothing is forgotten. */
import { createHash, randomUUID } from 'node:crypto';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import {
  containersOf,
  type DockerBed,
  runningNames,
  startDockerBed,
  startEngineProxy,
} from '../support/docker-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { agentsIn, launches, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const RESYNC = { LAUNCHER_RESYNC_SECONDS: '1' };
const SLOW_MS = 10_000;

/** How often the launcher said this. */
function said({ launcher }: DockerBed, message: string): number {
  return launcher.lines().filter(({ fields }) => fields['msg'] === message).length;
}

/** Sends `room_started` of a room as LiveKit would; resolves with the answer's status. */
async function webhook({ server, launcher }: DockerBed, sid: string, name: string) {
  const body = JSON.stringify({ event: 'room_started', id: randomUUID(), room: { sid, name } });
  const token = new AccessToken(server.apiKey, server.apiSecret.reveal());
  token.sha256 = createHash('sha256').update(body).digest('base64');
  const headers = {
    authorization: await token.toJwt(),
    'content-type': 'application/webhook+json',
  };
  const { status } = await fetch(launcher.webhookUrl, { method: 'POST', headers, body });
  return status;
}

describeWith('livekit', 'docker')('the engine', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function start() {
    const { proxy, env } = await startEngineProxy(cleanup);
    const bed = await startDockerBed(cleanup, { env: { ...RESYNC, ...env } });
    return { proxy, bed };
  }

  test('away: said once, live rooms stay served, rooms made meanwhile are served later', async () => {
    const { proxy, bed } = await start();
    const { launcher, rooms } = bed;
    const names = ['one', 'two'];
    await Promise.all(names.map((name) => rooms.createRoom({ name })));
    const before = await Promise.all(names.map((name) => served(bed, name)));
    const ids = (await containersOf(bed)).map(({ Id }) => Id);

    await proxy.break();
    await rooms.createRoom({ name: 'meanwhile' });
    await waitFor('three passes in vain', () => said(bed, 'a full pass could not look') >= 3);
    const { ready, engine } = JSON.parse(await (await launcher.admin('/readyz')).text());
    expect([ready, engine.state]).toEqual([true, 'down']);
    expect(engine.reason).toContain('there is no such socket');
    expect((await launcher.admin('/healthz')).status).toBe(200);
    expect(await agentsIn(bed, 'meanwhile')).toEqual([]);
    expect(await runningNames(bed)).toHaveLength(2);

    await proxy.mend();
    const late = await served(bed, 'meanwhile');
    const after = await Promise.all(names.map((name) => served(bed, name)));
    expect(after.map(({ agent }) => agent.sid)).toEqual(before.map(({ agent }) => agent.sid));
    const containers = await containersOf(bed);
    expect(containers.map(({ State }) => State.Running)).toEqual([true, true, true]);
    expect(containers.map(({ Id }) => Id)).toEqual(expect.arrayContaining(ids));
    expect(new Set(launches(launcher))).toEqual(new Set([...after, late].map(({ key }) => key)));
    expect(said(bed, 'the engine does not answer; retrying')).toBe(1);
    expect(said(bed, 'the engine answers again')).toBe(1);
    expect(launcher.events('task.end')).toEqual([]);
  });

  test('slow: webhooks are answered at once, and the room is served once it hurries', async () => {
    const { proxy, bed } = await start();
    const { rooms } = bed;
    proxy.slow(SLOW_MS);
    const { sid } = await rooms.createRoom({ name: 'patient' });
    const before = proxy.seen.length;
    await waitFor('a call that takes its time', () => proxy.seen.length > before);
    const passed = proxy.passed();
    const answers = Array.from({ length: 20 }, () => webhook(bed, sid, 'patient'));
    expect(await Promise.all(answers)).toEqual(Array(20).fill(200));
    expect(proxy.passed(), 'no webhook waited for the engine').toBe(passed);
    expect((await bed.launcher.admin('/healthz')).status).toBe(200);
    expect(await containersOf(bed)).toEqual([]);
    proxy.slow(0);
    expect((await served(bed, 'patient')).key).toBe(`r-${sid}-1`);
    expect(await containersOf(bed)).toHaveLength(1);
  });
});
