/** The launcher comes and goes; rooms are served all the same, by the tasks that already run. */
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { startBed, type Bed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { ended, fullPasses, launches, served, taskPid, type Served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

/** Nothing answers there: every webhook is lost. */
const NOWHERE = ['http://127.0.0.1:9/webhook'];

/** Both tasks are the ones of before, and have dialled this launcher. */
async function adopted(bed: Bed, before: readonly Served[]): Promise<void> {
  const { launcher } = bed;
  const wanted = before.map(({ key }) => `${key} assigned running`).toSorted();
  await waitFor('the sockets of the tasks', async () => {
    const rows = await launcher.tasks();
    const seen = rows.map(({ key, socket, phase }) => `${key} ${socket} ${phase}`).toSorted();
    if (seen.join() !== wanted.join()) throw new Error(seen.join());
    return true;
  });
}

describeWithLiveKit('launchers that come and go', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('kill -9 with two live rooms: the next one adopts both tasks and ends them', async () => {
    const bed = await startBed(cleanup, { env: { LAUNCHER_RESYNC_SECONDS: '1' } });
    const { launcher, rooms } = bed;
    const names = ['left', 'right'];
    await Promise.all(names.map((name) => rooms.createRoom({ name })));
    const before = await Promise.all(names.map((name) => served(bed, name)));
    const pids = () => Promise.all(before.map(({ key }) => taskPid(launcher, key)));
    const pidsBefore = await pids();

    await launcher.end('SIGKILL');
    await launcher.restart();
    await adopted(bed, before);
    await fullPasses(launcher, 2);

    const after = await Promise.all(names.map((name) => served(bed, name)));
    expect(after.map(({ key }) => key)).toEqual(before.map(({ key }) => key));
    expect(after.map(({ agent }) => agent.sid)).toEqual(before.map(({ agent }) => agent.sid));
    expect(await pids()).toEqual(pidsBefore);
    expect(launches(launcher)).toHaveLength(2);
    expect((await launcher.rooms()).map(({ state }) => state)).toEqual(['serving', 'serving']);

    await Promise.all(names.map((name) => rooms.deleteRoom(name)));
    for (const { key } of before) {
      expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    }
    expect(launches(launcher)).toHaveLength(2);
  });

  test('a room that ends while no launcher runs: its task ends, the next launcher reads it', async () => {
    const bed = await startBed(cleanup);
    const { launcher, rooms } = bed;
    await rooms.createRoom({ name: 'brief' });
    const { key } = await served(bed, 'brief');
    await launcher.end('SIGKILL');
    await rooms.deleteRoom('brief');
    await launcher.restart();
    expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    expect(launches(launcher)).toEqual([key]);
  });

  test('SIGTERM: it exits 0, its task serves on, the next one adopts it', async () => {
    const bed = await startBed(cleanup);
    const { launcher, server } = bed;
    const visitor = cleanup.use(await visit(server, 'talk'));
    const before = await served(bed, 'talk');
    const { identity } = before.agent;
    // Until it has greeted, it may not listen yet.
    await visitor.hears(identity, 'Hello');
    expect(await launcher.end('SIGTERM')).toEqual({ code: 0, signal: null });
    await visitor.asks(identity, 'still there?');
    await launcher.restart();
    await adopted(bed, [before]);
    await visitor.asks(identity, 'and now?');
    expect(launches(launcher)).toEqual([before.key]);
  });

  test('a room made while the launcher is down, its webhooks lost: served after the start', async () => {
    const env = { LAUNCHER_RESYNC_SECONDS: '3600' };
    const bed = await startBed(cleanup, { env, livekit: { webhookUrls: NOWHERE } });
    const { launcher, rooms } = bed;
    await launcher.end('SIGTERM');
    await rooms.createRoom({ name: 'unheard' });
    await launcher.restart();
    const { key } = await served(bed, 'unheard');
    expect(launches(launcher)).toEqual([key]);
    expect(launcher.events('webhook.receive')).toEqual([]);
  });

  test('webhooks lost entirely: the resync serves a room, and sees its end', async () => {
    const env = { LAUNCHER_RESYNC_SECONDS: '1' };
    const bed = await startBed(cleanup, { env, livekit: { webhookUrls: NOWHERE } });
    const { launcher, rooms } = bed;
    await fullPasses(launcher, 1);
    await rooms.createRoom({ name: 'silent' });
    const { key } = await served(bed, 'silent');
    await rooms.deleteRoom('silent');
    expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    expect(launches(launcher)).toEqual([key]);
    expect(launcher.events('webhook.receive')).toEqual([]);
  });
});
