import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { AccessToken } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import { TWIN_PING_TIMEOUT_MS } from '../../../launcher/gateway/door.ts';
import { waitFor } from '../../support/wait.ts';
import {
  allClosed,
  bearer,
  clock,
  dial,
  gateway,
  host,
  log,
  newSocket,
  OTHER_KEY,
  refusal,
  registered,
  state,
  useGateway,
} from './dial.ts';
import { KEY, wait } from './fixture.ts';

useGateway();

const get = (path: string, init?: RequestInit) =>
  fetch(`http://127.0.0.1:${gateway.port}${path}`, init);

describe('refusals at the upgrade', () => {
  it.each([
    ['/', 404],
    ['/agents', 404],
    ['/x/agent', 404],
    ['/rtc', 404],
  ])('%s is %i', async (path, status) => {
    expect((await refusal({ path })).status).toBe(status);
  });

  it('a bad token is 401 with the reason, and warned about once a minute', async () => {
    const headers = { authorization: 'Bearer x.y.z' };
    for (const path of ['/agent', '/agent', '/agent']) {
      expect(await refusal({ path, headers })).toEqual({
        status: 401,
        body: expect.stringMatching(/^the token's API key is not a task's: .*\n$/),
      });
    }
    expect(log.of('warn')).toHaveLength(1);
    expect(log.of('warn')[0]?.fields).toMatchObject({ count: 1 });
    await clock.advance(60_000);
    await refusal({ headers });
    expect(log.of('warn')[1]?.fields).toMatchObject({ count: 3 });
  });

  it('the token of a task of ours that no secret here signed is warned about with what to do', async () => {
    const token = new AccessToken(KEY, 'derived from the secret of before', { ttl: 60 });
    token.addGrant({ agent: true });
    const headers = { authorization: `Bearer ${await token.toJwt()}` };
    for (let n = 0; n < 3; n++) expect((await refusal({ headers })).status).toBe(401);
    expect(log.of('warn')).toEqual([
      {
        level: 'warn',
        message: expect.stringMatching(/LAUNCHER_GATEWAY_SECRET .* add the secret of before/),
        fields: { task: KEY, reason: expect.stringMatching(/not signed/), count: 1 },
      },
    ]);
    // Of a task that is none of ours, nothing is believed.
    host.admission = { answer: 'not-yet', reason: 'the engine does not list this task' };
    expect((await refusal({ headers })).status).toBe(401);
    expect(log.of('warn')[1]?.fields).not.toHaveProperty('task');
  });

  it('a room or task that is over is 410, one not known yet is 503', async () => {
    host.admission = { answer: 'gone', reason: 'the room is over' };
    expect(await refusal()).toEqual({ status: 410, body: 'the room is over\n' });
    host.admission = { answer: 'not-yet', reason: 'no list yet' };
    expect(await refusal()).toEqual({ status: 503, body: 'no list yet\n' });
    expect(gateway.sockets().size).toBe(0);
  });

  it('410 also forgets what was remembered of the task', async () => {
    expect(gateway.terminate(KEY)).toBe(false);
    host.admission = { answer: 'gone', reason: 'the room is over' };
    await refusal();
    host.admission = { answer: 'welcome' };
    const client = await registered();
    await client.frame('availability');
  });

  it('an upgrade to something else is 400', async () => {
    const head = { authorization: await bearer(), connection: 'upgrade', upgrade: 'h2c' };
    const socket = connectTcp(gateway.port, '127.0.0.1');
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
    socket.write(`GET /agent HTTP/1.1\r\nhost: x\r\n${lines.join('\r\n')}\r\n\r\n`);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 400 /);
    socket.destroy();
  });

  it('a refused line is cut even if the other end keeps it open', async () => {
    const port = gateway.port;
    const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write('GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    await once(socket, 'data');
    await gateway[Symbol.asyncDispose]();
    socket.destroy();
  });

  it('a dial that is cut while it is decided leaves nothing behind', async () => {
    const first = await registered({ autoPong: false });
    const socket = await newSocket({});
    socket.on('error', () => {});
    await waitFor('the ping to the first', () => clock.pending > 2);
    socket.terminate();
    await clock.advance(TWIN_PING_TIMEOUT_MS);
    await first.close();
    await allClosed();
  });
});

describe('plain HTTP', () => {
  it('GET /healthz is 200', async () => {
    expect((await get('/healthz')).status).toBe(200);
  });

  it.each([
    ['/', 'GET'],
    ['/agent', 'GET'],
    ['/healthz', 'POST'],
  ])('%s by %s is 404 with one line', async (path, method) => {
    const response = await get(path, { method });
    expect(response.status).toBe(404);
    expect(await response.text()).toMatch(/^[^\n]+\n$/);
  });

  it("a call of LiveKit's server API without a token is refused as its clients read it", async () => {
    const body = JSON.stringify({ room: 'x'.repeat(1_000_000) });
    const response = await get('/twirp/livekit.RoomService/DeleteRoom', { method: 'POST', body });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a second socket of one task', () => {
  it('is 409 while the first one answers', async () => {
    await registered();
    expect((await refusal()).status).toBe(409);
    expect(gateway.sockets().size).toBe(1);
    expect(state()).not.toBe('connecting');
  });

  it('replaces a first one that does not answer, and a third one waits', async () => {
    host.looks = [wait];
    const first = await registered({ autoPong: false });
    const timers = clock.pending;
    const dialling = dial();
    await waitFor('the ping to the first', () => clock.pending > timers);
    expect((await refusal()).status).toBe(409);
    await clock.advance(TWIN_PING_TIMEOUT_MS);
    const second = await dialling;
    await first.close();
    second.register();
    await second.frame('register');
    expect(gateway.sockets().size).toBe(1);
    expect(host.changes).toContain(`closed ${KEY}`);
    second.ws.close();
    await allClosed();
  });

  it('does not matter to other tasks', async () => {
    await registered();
    await registered({ key: OTHER_KEY });
    expect(gateway.sockets().size).toBe(2);
  });
});
