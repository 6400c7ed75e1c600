/**
 * SIGTERM under load, and the next launcher on the same ports: what was accepted was answered, the
 * tasks are left alone and come back, and every room is served once.
 */
import { createHash } from 'node:crypto';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { startBed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { fullPasses, launches, served, taskPid } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const ROOMS = ['one', 'two'];
const SENDERS = 20;

describeWithLiveKit('a roll-over', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('under load: answered or never accepted, tasks untouched, sockets come back', async () => {
    const bed = await startBed(cleanup, { env: { LAUNCHER_RESYNC_SECONDS: '1' } });
    const { server, rooms, launcher } = bed;
    await Promise.all(ROOMS.map((name) => rooms.createRoom({ name })));
    const before = await Promise.all(ROOMS.map((name) => served(bed, name)));
    const pids = () => Promise.all(before.map(({ key }) => taskPid(launcher, key)));
    const pidsBefore = await pids();

    const body = JSON.stringify({ event: 'room_started', room: { sid: 'RM_load', name: 'load' } });
    const token = new AccessToken(server.apiKey, server.apiSecret.reveal(), { ttl: 600 });
    token.sha256 = createHash('sha256').update(body).digest('base64');
    const headers = { authorization: await token.toJwt() };
    /** Statuses, and `null` for a connection that was refused or closed instead of an answer. */
    const answers: (number | null)[] = [];
    const load = new AbortController();
    const send = async () => {
      const answer = await fetch(launcher.webhookUrl, { method: 'POST', body, headers });
      await answer.arrayBuffer();
      return answer.status;
    };
    const sender = async () => {
      while (!load.signal.aborted) {
        answers.push(await send().catch(() => null));
        // A refused connection fails within the same turn: leave some to the launcher's start.
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const senders = Promise.all(Array.from({ length: SENDERS }, sender));
    try {
      await waitFor('some load', () => answers.length > 10 * SENDERS);
      expect(await launcher.end('SIGTERM')).toEqual({ code: 0, signal: null });
      // A room that nobody tells of: the next launcher finds it by itself.
      await rooms.createRoom({ name: 'meanwhile' });
      await launcher.restart();
      const from = answers.length;
      await waitFor('answers of the next one', () => answers.slice(from).includes(200));
    } finally {
      load.abort();
      await senders;
    }

    expect(new Set(answers)).toEqual(new Set([200, null]));
    // Whoever was answered was heard: by one of the two launchers, before it closed.
    const heard = launcher.events('webhook.receive').filter(({ sid }) => sid === 'RM_load').length;
    expect(heard).toBeGreaterThanOrEqual(answers.filter((status) => status === 200).length);
    expect(launcher.lines().filter(({ level }) => level === 'error')).toEqual([]);

    const meanwhile = await served(bed, 'meanwhile');
    const wanted = [...before, meanwhile].map(({ key }) => `${key} assigned`).toSorted();
    await waitFor('the sockets of all tasks', async () => {
      const seen = (await launcher.tasks()).map(({ key, socket }) => `${key} ${socket}`);
      if (seen.toSorted().join() !== wanted.join()) throw new Error(seen.join());
      return true;
    });
    await fullPasses(launcher, 2);
    const after = await Promise.all(ROOMS.map((name) => served(bed, name)));
    expect(after.map(({ agent }) => agent.sid)).toEqual(before.map(({ agent }) => agent.sid));
    expect(await pids()).toEqual(pidsBefore);
    expect(launches(launcher).toSorted()).toEqual(
      [...before, meanwhile].map(({ key }) => key).toSorted(),
    );
  });
});
