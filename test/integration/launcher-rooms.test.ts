/** `room-launcher serve` beside a real LiveKit server: each room gets one task, and only one. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { freeLauncherPorts, startBed, webhookUrlOf, type Bed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { ended, launches, roomOver, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

interface Heard {
  readonly body: string;
  readonly authorization: string;
}

describeWithLiveKit('rooms and their tasks', () => {
  const cleanup = new Cleanup();
  let bed: Bed;
  let heard: Heard[];

  /** Hears the same webhooks as the launcher. */
  async function listener(): Promise<string> {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        heard.push({ body, authorization: request.headers.authorization ?? '' });
        response.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanup.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = server.address();
    return `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`;
  }

  beforeEach(async () => {
    heard = [];
    const ports = await freeLauncherPorts();
    const webhookUrls = [webhookUrlOf(ports), await listener()];
    bed = await startBed(cleanup, { ports, livekit: { webhookUrls } });
  });
  afterEach(() => cleanup.run());

  test('a second room gets a second task; each ends with its own room', async () => {
    const { rooms, launcher } = bed;
    await rooms.createRoom({ name: 'one' });
    const one = await served(bed, 'one');
    await rooms.createRoom({ name: 'two' });
    const two = await served(bed, 'two');
    expect(one.key).toBe(`r-${one.sid}-1`);
    expect(two.key).toBe(`r-${two.sid}-1`);
    await rooms.deleteRoom('one');
    expect(await ended(launcher, one.key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    expect((await served(bed, 'two')).key).toBe(two.key);
    expect(launches(launcher)).toEqual([one.key, two.key]);
    await roomOver(bed, 'one');
  });

  test('the same webhook ten times gets one task', async () => {
    const { rooms, launcher } = bed;
    await rooms.createRoom({ name: 'again' });
    const { body, authorization } = await waitFor('room_started', () =>
      heard.find((webhook) => webhook.body.includes('"room_started"')),
    );
    const headers = { authorization, 'content-type': 'application/webhook+json' };
    const replay = () => fetch(launcher.webhookUrl, { method: 'POST', headers, body });
    const answers = await Promise.all(Array.from({ length: 10 }, replay));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const { key } = await served(bed, 'again');
    await replay();
    expect(launcher.events('webhook.receive').length).toBeGreaterThanOrEqual(12);
    await rooms.deleteRoom('again');
    await ended(launcher, key);
    // Late ones, about a room that is over, change nothing either.
    await Promise.all(Array.from({ length: 10 }, replay));
    await roomOver(bed, 'again');
    expect((await launcher.tasks()).map((task) => task.key)).toEqual([key]);
    expect(launches(launcher)).toEqual([key]);
  });

  test('ten rooms at once get ten', async () => {
    const { rooms, launcher } = bed;
    const names = Array.from({ length: 10 }, (_, i) => `room-${i}`);
    await Promise.all(names.map((name) => rooms.createRoom({ name })));
    const all = await Promise.all(names.map((name) => served(bed, name)));
    const keys = all.map(({ key }) => key).toSorted();
    expect(new Set(keys).size).toBe(10);
    expect(launches(launcher).toSorted()).toEqual(keys);
    await waitFor('all ten to be shown as served', async () => {
      const states = (await launcher.rooms()).map(({ state }) => state);
      return states.length === 10 && states.every((state) => state === 'serving');
    });
  });
});
