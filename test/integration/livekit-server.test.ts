/** The server that the demo and the other tests stand on does what they rely on. */
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithLiveKit, livekitServer, startTestServer } from '../support/livekit-server.ts';
import { waitFor } from '../support/wait.ts';

describeWithLiveKit('the real LiveKit server', () => {
  const webhooks: string[] = [];
  const receiver = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => webhooks.push(body));
    request.on('end', () => response.end());
  });
  beforeAll(async () => {
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
  });
  afterAll(() => void receiver.close());
  const livekit = livekitServer(() => {
    const address = receiver.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    return {
      webhookUrls: [`http://127.0.0.1:${port}/webhook`],
      roomConfig: { emptyTimeoutSeconds: 30, departureTimeoutSeconds: 2 },
    };
  });

  it('makes rooms with the configured timeouts and sends webhooks', async () => {
    const room = await livekit().rooms.createRoom({ name: 'first' });
    expect(room.sid).toMatch(/^RM_/);
    expect(room.emptyTimeout).toBe(30);
    expect(room.departureTimeout).toBe(2);
    await waitFor('room_started', () => webhooks.some((body) => body.includes(room.sid)));
  });

  it('keeps its secret off the command line and out of its environment', async () => {
    const { server, apiSecret } = livekit();
    const seen = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${server.pid}/${file}`, 'utf8')),
    );
    expect(apiSecret.reveal().length).toBeGreaterThanOrEqual(32);
    expect(seen.join('\n')).not.toContain(apiSecret.reveal());
    expect((await stat(server.logFile)).mode & 0o077).toBe(0);
  });

  it('comes back on the same port after a crash and after a stop', async () => {
    const { server, rooms } = livekit();
    for (const end of [() => server.kill(), () => server.stop()]) {
      await end();
      await expect(rooms.listRooms()).rejects.toThrow();
      await server.start();
      expect(await rooms.listRooms()).toEqual([]);
    }
  });

  it('runs several at once, each with its own key, and leaves no file behind', async () => {
    const servers = await Promise.all([startTestServer(), startTestServer(), startTestServer()]);
    try {
      expect(new Set(servers.map((server) => server.url)).size).toBe(3);
      const [one, two] = servers;
      if (!one || !two) throw new Error('three servers were started');
      const stranger = new RoomServiceClient(
        one.url.replace('ws', 'http'),
        two.apiKey,
        two.apiSecret.reveal(),
      );
      await expect(stranger.listRooms()).rejects.toMatchObject({ status: 401 });
    } finally {
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    }
    for (const server of servers)
      await expect(stat(server.logFile)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
