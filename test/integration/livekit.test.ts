import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { Room as RtcRoom, dispose } from '@livekit/rtc-node';
import { AgentDispatchClient } from 'livekit-server-sdk';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { RoomSid } from '../../launcher/core/room.ts';
import { listen } from '../../launcher/lib/listen.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { LiveKitError } from '../../launcher/livekit/errors.ts';
import { createLiveKit, type LiveKit } from '../../launcher/livekit/rooms.ts';
import { roomToken } from '../../launcher/livekit/token.ts';
import { describeWithLiveKit, livekitServer } from '../support/livekit-server.ts';
import { waitFor } from '../support/wait.ts';

const SECRET = new Secret('a-secret-that-is-not-the-right-one');
const never = new AbortController().signal;

/** The error of a call that must fail. */
async function failure(call: Promise<unknown>): Promise<LiveKitError> {
  const error: unknown = await call.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LiveKitError);
  if (!(error instanceof LiveKitError)) throw error;
  expect(error.message).not.toContain(SECRET.reveal());
  return error;
}

describeWithLiveKit('on the real server', () => {
  const server = livekitServer();
  const connected: RtcRoom[] = [];
  afterEach(async () => {
    await Promise.all(connected.splice(0).map((room) => room.disconnect()));
    const { rooms } = server();
    for (const { name } of await rooms.listRooms()) await rooms.deleteRoom(name);
  });
  afterAll(() => dispose());

  function client(): LiveKit {
    const { httpUrl, apiKey, apiSecret } = server();
    return createLiveKit({ url: httpUrl, apiKey, apiSecret, requestTimeoutMs: 5000 });
  }

  async function join(token: string): Promise<void> {
    const room = new RtcRoom();
    connected.push(room);
    await room.connect(server().url, token, { autoSubscribe: false, dynacast: false });
  }

  test('rooms are listed, all or those of one name', async () => {
    const before = Date.now();
    const { sid } = await server().rooms.createRoom({ name: 'one', metadata: '{"a":1}' });
    await server().rooms.createRoom({ name: 'two' });
    const listed = await client().listRooms(never);
    expect(listed.map((room) => room.name).toSorted()).toEqual(['one', 'two']);
    const [one, ...others] = await client().listRooms(never, 'one');
    expect(others).toEqual([]);
    expect(one).toMatchObject({ sid, name: 'one', metadata: '{"a":1}' });
    expect(Math.abs((one?.createdAtMs ?? 0) - before)).toBeLessThan(5000);
  });

  test('what is not there is empty or null, not an error', async () => {
    expect(await client().listRooms(never, 'nowhere')).toEqual([]);
    expect(await client().listParticipants('nowhere', never)).toEqual([]);
    expect(await client().roomInfo('nowhere', never)).toBeNull();
  });

  test('a whole room comes without its turn password', async () => {
    await server().rooms.createRoom({ name: 'one', metadata: 'm', maxParticipants: 7 });
    const [listed] = await server().rooms.listRooms(['one']);
    const info = await client().roomInfo('one', never);
    expect(listed?.turnPassword).not.toBe('');
    expect(info).toMatchObject({ sid: listed?.sid, name: 'one', metadata: 'm', turnPassword: '' });
    expect(info?.maxParticipants).toBe(7);
    expect(info?.creationTime).toBe(listed?.creationTime);
  });

  test('the explicit dispatch for an agent name is found', async () => {
    const { httpUrl, apiKey, apiSecret } = server();
    const dispatches = new AgentDispatchClient(httpUrl, apiKey, apiSecret.reveal());
    await dispatches.createDispatch('one', 'other', { metadata: 'for another' });
    const { id } = await dispatches.createDispatch('one', 'greeter', { metadata: 'hello' });
    const found = () => client().dispatchOf('one', 'greeter', never);
    expect(await found()).toEqual({ dispatchId: id, metadata: 'hello' });
    expect(await client().dispatchOf('one', 'nobody', never)).toBeNull();
    await dispatches.deleteDispatch(id, 'one');
    await waitFor('the dispatch to be gone', async () => (await found()) === null);
  });

  test("LiveKit's own dispatch to workers without a name is none, and hides none", async () => {
    const { httpUrl, apiKey, apiSecret, rooms } = server();
    const dispatches = new AgentDispatchClient(httpUrl, apiKey, apiSecret.reveal());
    await rooms.createRoom({ name: 'one' });
    expect(await dispatches.listDispatch('one')).toHaveLength(1);
    expect(await client().dispatchOf('one', '', never)).toBeNull();
    const { id } = await dispatches.createDispatch('one', '', { metadata: 'hello' });
    const found = await client().dispatchOf('one', '', never);
    expect(found).toEqual({ dispatchId: id, metadata: 'hello' });
  });

  test('who joins with a room token is the agent, with its attributes', async () => {
    const { apiKey, apiSecret, rooms } = server();
    const { sid } = await rooms.createRoom({ name: 'one' });
    const request = {
      sid: sid as RoomSid,
      roomName: 'one',
      taskKey: `r-${sid}-1`,
      agentName: 'greeter',
      participantName: 'Greeter',
      participantAttributes: { mood: 'good', 'room-launcher.task': 'r-RM_other-1' },
    };
    await join(await roomToken({ apiKey, apiSecret }, request));
    expect(await client().listParticipants('one', never)).toEqual([
      {
        identity: `agent-${sid}`,
        kind: 'agent',
        attributes: {
          mood: 'good',
          'lk.agent_name': 'greeter',
          'lk.agent.name': 'greeter',
          'room-launcher.task': `r-${sid}-1`,
        },
      },
    ]);
    const [participant] = await rooms.listParticipants('one');
    expect(participant?.name).toBe('Greeter');
    expect(participant?.permission).toMatchObject({
      agent: false,
      hidden: false,
      canPublish: true,
      canSubscribe: true,
      canPublishData: true,
      canUpdateMetadata: true,
    });
  });

  test.each(['listRooms', 'listParticipants', 'dispatchOf'] as const)(
    'a wrong secret is "unauthorized" for %s, and the error says what to check',
    async (verb) => {
      const { httpUrl, apiKey } = server();
      const options = { url: httpUrl, apiKey, apiSecret: SECRET, requestTimeoutMs: 5000 };
      const wrong = createLiveKit(options);
      const calls = {
        listRooms: () => wrong.listRooms(never),
        listParticipants: () => wrong.listParticipants('one', never),
        dispatchOf: () => wrong.dispatchOf('one', 'greeter', never),
      };
      const error = await failure(calls[verb]());
      expect(error.kind).toBe('unauthorized');
      for (const part of [httpUrl, apiKey, 'LIVEKIT_API_SECRET']) {
        expect(error.message).toContain(part);
      }
    },
  );

  test('an unknown key is "unauthorized"', async () => {
    const options = { url: server().httpUrl, apiSecret: server().apiSecret };
    const wrong = createLiveKit({ ...options, apiKey: 'nobody', requestTimeoutMs: 5000 });
    expect((await failure(wrong.listRooms(never))).kind).toBe('unauthorized');
  });
});

/** Servers that answer what LiveKit's own does not answer on demand. */
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function answering(listener: RequestListener, requestTimeoutMs = 5000) {
  const server = createServer(listener);
  servers.push(server);
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'test');
  const url = `http://127.0.0.1:${port}`;
  return { server, url, livekit: clientOf(url, requestTimeoutMs) };
}

function clientOf(url: string, requestTimeoutMs = 5000): LiveKit {
  return createLiveKit({ url, apiKey: 'key', apiSecret: SECRET, requestTimeoutMs });
}

test.each([
  [500, 'unavailable'],
  [503, 'unavailable'],
  [429, 'unavailable'],
  [408, 'unavailable'],
  [401, 'unauthorized'],
  [403, 'unauthorized'],
  [400, 'invalid'],
  [404, 'invalid'],
])('status %i is "%s"', async (status, kind) => {
  const { livekit, url } = await answering((_request, response) => {
    response.writeHead(status).end('an error page');
  });
  const error = await failure(livekit.listRooms(never));
  expect(error.kind).toBe(kind);
  expect(error.message).toContain(url);
  expect(error.message).toContain(String(status));
});

test('something that answers 200 without JSON is "invalid"', async () => {
  const { livekit } = await answering((_request, response) => response.end('<html>'));
  expect((await failure(livekit.listRooms(never))).kind).toBe('invalid');
});

test('JSON that is no list of rooms is "invalid"', async () => {
  const { livekit } = await answering((_request, response) => response.end('{"rooms": 5}'));
  expect((await failure(livekit.listRooms(never))).kind).toBe('invalid');
});

test('a dispatch that is asked of a room that has just ended is null', async () => {
  const { livekit } = await answering((_request, response) => {
    response.writeHead(404, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ code: 'not_found', msg: 'gone' }));
  });
  expect(await livekit.dispatchOf('one', 'greeter', never)).toBeNull();
});

test('rooms without a usable sid are dropped', async () => {
  const listed = [{ name: 'being made' }, { sid: 'RM_1', name: 'one' }, { sid: 'a b', name: 'x' }];
  const { livekit } = await answering((_request, response) =>
    response.end(JSON.stringify({ rooms: listed })),
  );
  expect((await livekit.listRooms(never)).map((room) => room.sid)).toEqual(['RM_1']);
  expect(await livekit.roomInfo('being made', never)).toBeNull();
});

test('nobody listening is "unavailable", with the socket error', async () => {
  const { server, url } = await answering(() => {});
  server.close();
  await once(server, 'close');
  const error = await failure(clientOf(url).listRooms(never));
  expect(error).toMatchObject({ kind: 'unavailable' });
  expect(error.message).toContain(`LIVEKIT_URL is ${url}: no answer (ECONNREFUSED)`);
});

test('a server that does not answer is "unavailable" after the time limit', async () => {
  const { livekit } = await answering(() => {}, 50);
  expect((await failure(livekit.listRooms(never))).kind).toBe('unavailable');
});

test('every verb settles when its signal aborts', async () => {
  const { server, livekit } = await answering(() => {}, 60_000);
  const calls = [
    (signal: AbortSignal) => livekit.listRooms(signal),
    (signal: AbortSignal) => livekit.listParticipants('one', signal),
    (signal: AbortSignal) => livekit.roomInfo('one', signal),
    (signal: AbortSignal) => livekit.dispatchOf('one', 'greeter', signal),
  ];
  for (const call of calls) {
    const abort = new AbortController();
    const asked = once(server, 'request');
    const failed = failure(call(abort.signal));
    await asked;
    abort.abort();
    expect((await failed).kind).toBe('unavailable');
  }
  const error = await failure(livekit.listRooms(AbortSignal.abort()));
  expect(error.kind).toBe('unavailable');
});
