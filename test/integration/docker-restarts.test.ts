/** The launcher is killed; its containers, here on the host's own network, serve on. */
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import {
  containerOf,
  containersOf,
  type DockerBed,
  runningNames,
  startDockerBed,
  startEngineProxy,
} from '../support/docker-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { ended, fullPasses, launches, served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const RESYNC = { LAUNCHER_RESYNC_SECONDS: '1' };

/** What no restart of the launcher may change. */
async function identities(bed: DockerBed): Promise<string[]> {
  const all = await containersOf(bed);
  return all.map(({ Id, State }) => `${Id} ${State.Status} since ${State.StartedAt}`).toSorted();
}

describeWith('livekit', 'docker')('containers of a launcher that was killed', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('with two live rooms: the same containers serve on, and end with their rooms', async () => {
    const bed = await startDockerBed(cleanup, { network: 'host', env: RESYNC });
    const { launcher, rooms, server } = bed;
    const visitor = cleanup.use(await visit(server, 'left'));
    await rooms.createRoom({ name: 'right' });
    const names = ['left', 'right'];
    const before = await Promise.all(names.map((name) => served(bed, name)));
    const containers = await identities(bed);
    expect(containers).toHaveLength(2);

    const [left] = before;
    // Until it has greeted, it may not listen yet.
    await visitor.hears(left!.agent.identity, 'Hello');
    await launcher.end('SIGKILL');
    await visitor.asks(left!.agent.identity, 'alone?');
    await launcher.restart();
    await waitFor('both sockets', async () => {
      const rows = await launcher.tasks();
      return rows.filter(({ socket }) => socket === 'assigned').length === 2;
    });
    await fullPasses(launcher, 2);

    expect(await identities(bed)).toEqual(containers);
    const after = await Promise.all(names.map((name) => served(bed, name)));
    expect(after.map(({ agent }) => agent.sid)).toEqual(before.map(({ agent }) => agent.sid));
    expect(launches(launcher)).toHaveLength(2);
    expect((await launcher.rooms()).map(({ state }) => state)).toEqual(['serving', 'serving']);

    await Promise.all(names.map((name) => rooms.deleteRoom(name)));
    for (const { key } of before) {
      expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    }
    expect(await runningNames(bed)).toEqual([]);
    expect(launches(launcher)).toHaveLength(2);
  });

  test('between create and start: the next one starts that very container', async () => {
    const { proxy, env } = await startEngineProxy(cleanup);
    const bed = await startDockerBed(cleanup, { network: 'host', env: { ...RESYNC, ...env } });
    const { launcher, rooms } = bed;
    proxy.hang((path) => path.includes('/start'));
    const { sid } = await rooms.createRoom({ name: 'torn' });
    const key = `r-${sid}-1`;
    await waitFor('the start', () => proxy.seen.some((call) => call.includes('/start')));
    await launcher.end('SIGKILL');
    const { Id, State } = await containerOf(bed, key);
    expect(State.Status).toBe('created');
    proxy.hang(() => false);
    await launcher.restart();
    expect((await served(bed, 'torn')).key).toBe(key);
    expect((await containersOf(bed)).map((container) => container.Id)).toEqual([Id]);
    await rooms.deleteRoom('torn');
    expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
  });
});
