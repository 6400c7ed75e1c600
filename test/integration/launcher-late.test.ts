/** A room that is over before its agent came: the task ends, and the room does not come back. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, expect, test } from 'vitest';
import { startApiProxy } from '../support/api-proxy.ts';
import { Cleanup } from '../support/cleanup.ts';
import {
  freeLauncherPorts,
  roomClient,
  startBed,
  startTestLauncher,
  type Bed,
  type TestLauncher,
} from '../support/launcher.ts';
import { describeWithLiveKit, startTestServer } from '../support/livekit-server.ts';
import { agentFile } from '../support/runner.ts';
import { ended, fullPasses, launches, roomOver } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const ROOM = 'late';
const RESYNC = { LAUNCHER_RESYNC_SECONDS: '1' };

/** The key of the first task that the engine has promised. */
function launched(launcher: TestLauncher): Promise<string> {
  return waitFor('the launch', () => {
    const found = launcher.events('task.launch').find(({ outcome }) => outcome === 'accepted');
    return found ? String(found['task']) : null;
  });
}

/** How many lives of the room the launcher heard of. */
function lives(launcher: TestLauncher): number {
  return new Set(launcher.events('webhook.receive').map(({ sid }) => sid)).size;
}

/** Its task is done, and neither the room nor another task comes after it. */
async function endedForGood({ launcher, rooms }: Bed, key: string): Promise<void> {
  expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
  await fullPasses(launcher, 2);
  expect(await rooms.listRooms()).toEqual([]);
  expect(lives(launcher)).toBe(1);
  expect(launches(launcher)).toEqual([key]);
}

describeWithLiveKit('a room that is over too soon', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('deleted before the task registers', async () => {
    const bed = await startBed(cleanup, { env: RESYNC });
    await bed.rooms.createRoom({ name: ROOM });
    const key = await launched(bed.launcher);
    await bed.rooms.deleteRoom(ROOM);
    expect(bed.launcher.events('task.register')).toEqual([]);
    await endedForGood(bed, key);
    expect(bed.launcher.events('task.assign').filter((e) => e['outcome'] !== 'gone')).toEqual([]);
  });

  test('deleted between registration and assignment', async () => {
    const ports = await freeLauncherPorts();
    let launcher: TestLauncher | undefined;
    let deleted: Promise<void> | undefined;
    // Webhooks of the end come only after the look, so that it alone keeps the job back.
    const looked = () =>
      launcher?.lines().some(({ fields }) => fields['reason'] === 'its room is not listed');
    const hold = async () => void (deleted && (await waitFor('the look', looked)));
    const target = `ws://127.0.0.1:${ports.webhook}`;
    const webhooks = cleanup.use(await startApiProxy(target, hold));
    const webhookUrls = [`${webhooks.url.replace('ws', 'http')}/webhook`];
    const server = cleanup.use(await startTestServer({ webhookUrls }));
    const rooms = roomClient(server);
    // The look before an offer lists the room: it is deleted as soon as that look is under way.
    const before = async (method: string) => {
      if (method !== 'ListRooms' || !launcher) return;
      const registered = (await launcher.tasks()).some(({ socket }) => socket === 'waiting');
      if (registered) await (deleted ??= rooms.deleteRoom(ROOM));
    };
    const proxy = cleanup.use(await startApiProxy(server.url, before));
    const env = { ...RESYNC, LIVEKIT_URL: proxy.url, LAUNCHER_TASK_LIVEKIT_URL: server.url };
    launcher = cleanup.use(await startTestLauncher({ server, ports, env }));
    await rooms.createRoom({ name: ROOM });
    const key = await launched(launcher);
    await endedForGood({ server, rooms, launcher }, key);
    expect(deleted).toBeDefined();
    expect(launcher.events('task.register')).toHaveLength(1);
    const outcomes = launcher.events('task.assign').map(({ outcome }) => outcome);
    expect(outcomes).not.toContain('assigned');
  });

  test('deleted between assignment and join, and joined all the same', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'late-agent-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const goFile = join(folder, 'go');
    const envFile = join(folder, 'agent.env');
    await writeFile(envFile, `GO_FILE=${goFile}\n`);
    const agent = { LAUNCHER_AGENT_FILE: agentFile('waits-for-file.mjs') };
    const bed = await startBed(cleanup, {
      env: { ...RESYNC, ...agent, LAUNCHER_AGENT_ENV_FILE: envFile },
      livekit: { roomConfig: { emptyTimeoutSeconds: 2, departureTimeoutSeconds: 1 } },
    });
    const { launcher, rooms } = bed;
    await rooms.createRoom({ name: ROOM, emptyTimeout: 60 });
    const key = await launched(launcher);
    await waitFor('the entry', async () => (await launcher.taskLog(key)).includes('WAITING'));
    // A launcher that is slow to hear of the end does not say it to the task.
    process.kill(launcher.pid, 'SIGSTOP');
    cleanup.defer(() => process.kill(launcher.pid, 'SIGCONT'));
    await rooms.deleteRoom(ROOM);
    await writeFile(goFile, '');
    const left = 'left a room that is not ours';
    await waitFor('the task to leave', async () => (await launcher.taskLog(key)).includes(left));
    process.kill(launcher.pid, 'SIGCONT');

    expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    expect(await launcher.taskLog(key)).not.toContain('JOINED');
    await roomOver(bed, ROOM);
    // The life that the late join made is a room like any other: served while it lasts.
    const allEnded = async () => (await launcher.tasks()).every(({ phase }) => phase === 'ended');
    await waitFor('all tasks to end', allEnded, 20_000);
    await fullPasses(launcher, 2);
    expect(await rooms.listRooms()).toEqual([]);
    expect(lives(launcher)).toBe(2);
    expect(launches(launcher).length).toBeLessThanOrEqual(2);
  });
});
