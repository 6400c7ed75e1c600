/** The gateway's server API by HTTP: who is let through, what is asked of LiveKit, what comes back. */
import { connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import {
  DeleteRoomRequest,
  ListParticipantsRequest,
  ListParticipantsResponse,
} from '@livekit/protocol';
import { AccessToken, TokenVerifier, type VideoGrant } from 'livekit-server-sdk';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { taskSecret } from '../../../launcher/gateway/credentials.ts';
import { createGateway } from '../../../launcher/gateway/gateway.ts';
import type { Gateway, TaskRoom } from '../../../launcher/gateway/ports.ts';
import { CALL_TIMEOUT_MS } from '../../../launcher/gateway/server-api.ts';
import {
  CALLS_PER_TASK,
  CALLS_PER_TASK_PER_SECOND,
} from '../../../launcher/gateway/server-api-limits.ts';
import { MAX_REQUEST_BYTES } from '../../../launcher/gateway/server-api-request.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { callToken } from '../../../launcher/livekit/token.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeRoomService } from '../../fakes/room-service.ts';
import { Cleanup } from '../../support/cleanup.ts';
import { type TaskApi, taskApi } from '../../support/task-api.ts';
import { waitFor } from '../../support/wait.ts';
import { deferred, KEY, RecordingLog, ROOM_NAME, ScriptedHost, SID } from './fixture.ts';

const GATEWAY_SECRET = new Secret('gateway-secret');
const PROJECT = { apiKey: 'APIproject', apiSecret: new Secret('the-secret-of-the-project') };
const ADMIN: VideoGrant = { roomAdmin: true, room: ROOM_NAME };
const LIST = new ListParticipantsRequest({ room: ROOM_NAME }).toBinary();
const OTHERS = new ListParticipantsRequest({ room: 'another' }).toBinary();

let cleanup: Cleanup;
let clock: FakeClock;
let host: ScriptedHost;
let log: RecordingLog;
let gateway: Gateway;
let livekit: FakeRoomService;
let task: TaskApi;

beforeEach(async () => {
  cleanup = new Cleanup();
  clock = new FakeClock();
  host = new ScriptedHost();
  log = new RecordingLog();
  livekit = cleanup.use(await FakeRoomService.start());
  gateway = cleanup.use(
    await createGateway({
      listen: { host: '127.0.0.1', port: 0 },
      settingName: 'LAUNCHER_GATEWAY_LISTEN',
      deployment: 'blue',
      secrets: [GATEWAY_SECRET],
      taskLivekitUrl: 'wss://real.example',
      mintToken: () => Promise.resolve('room-token'),
      livekitUrl: livekit.url,
      mintCallToken: (grant, room) => callToken(PROJECT, grant, room),
      host,
      clock,
      log,
    }),
  );
  task = apiOf(KEY);
});
afterEach(async () => {
  await cleanup.run();
  expect(clock.pending).toBe(0);
});

const gatewayUrl = () => `http://127.0.0.1:${gateway.port}`;

function apiOf(key: string, deployment = 'blue'): TaskApi {
  return taskApi({ gatewayUrl: gatewayUrl(), gatewaySecret: GATEWAY_SECRET, deployment, key });
}

/** Status, and the code and message of an error. */
async function outcome(answer: Promise<Response> | Response) {
  const response = await answer;
  if (response.ok) return { status: response.status };
  expect(response.headers.get('content-type')).toBe('application/json');
  const { code, msg } = JSON.parse(await response.text());
  return { status: response.status, code: String(code), msg: String(msg) };
}

const list = (init?: RequestInit) => task.call('ListParticipants', ADMIN, LIST, init);
const event = () => log.lines.find(({ message }) => message === 'task.call');

/** It was refused so, LiveKit heard nothing of it, and the event says it. */
async function refusedAs(call: Promise<Response>, status: number, code: string, said: RegExp) {
  const told = await outcome(call);
  expect(told).toMatchObject({ status, code });
  expect(told.msg).toMatch(said);
  expect(livekit.calls).toEqual([]);
  expect(event()?.fields).toMatchObject({ outcome: code });
}

describe('a call that is passed on', () => {
  it('carries what was read, and a token of the project for this call alone', async () => {
    livekit.answer = { body: new ListParticipantsResponse().toBinary() };
    expect((await list()).status).toBe(200);
    const [call] = livekit.calls;
    expect(call?.path).toBe('/twirp/livekit.RoomService/ListParticipants');
    expect(call?.headers['content-type']).toBe('application/protobuf');
    expect(call?.body).toEqual(Buffer.from(LIST));
    const token = call?.headers.authorization?.replace('Bearer ', '') ?? '';
    const verifier = new TokenVerifier(PROJECT.apiKey, PROJECT.apiSecret.reveal());
    const claims = await verifier.verify(token);
    expect(claims.video).toEqual({ roomAdmin: true, room: ROOM_NAME });
    expect(Number(claims.exp) - Number(claims.nbf)).toBeLessThanOrEqual(60);
  });

  it('is answered in the encoding that it came in', async () => {
    const participants = [{ identity: 'x' }];
    livekit.answer = { body: new ListParticipantsResponse({ participants }).toBinary() };
    const protobuf = await list();
    expect(protobuf.headers.get('content-type')).toBe('application/protobuf');
    const bytes = new Uint8Array(await protobuf.arrayBuffer());
    expect(ListParticipantsResponse.fromBinary(bytes).participants[0]?.identity).toBe('x');
    const json = await task.call('ListParticipants', ADMIN, JSON.stringify({ room: ROOM_NAME }), {
      headers: { 'content-type': 'Application/JSON; charset=UTF-8' },
    });
    expect(json.headers.get('content-type')).toBe('application/json');
    expect(await json.json()).toMatchObject({ participants: [{ identity: 'x' }] });
    expect(livekit.calls[1]?.headers['content-type']).toBe('application/protobuf');
    expect(livekit.calls[1]?.body).toEqual(Buffer.from(LIST));
  });

  it('is one wide event, without names', async () => {
    await list();
    expect(event()).toMatchObject({
      level: 'debug',
      fields: { task: KEY, method: 'ListParticipants', encoding: 'protobuf', outcome: 'ok' },
    });
    await task.call('DeleteRoom', ADMIN, OTHERS);
    await task.call(encodeURIComponent(ROOM_NAME), ADMIN, LIST);
    expect(JSON.stringify(log.lines)).not.toContain(ROOM_NAME);
    expect(JSON.stringify(log.lines)).not.toContain('another');
  });
});

describe('refused is', () => {
  test.each(['CreateRoom', 'MoveParticipant', 'PerformRpc', 'constructor', '', 'ListRooms/x'])(
    'the method %j',
    (method) =>
      refusedAs(task.call(method, ADMIN, LIST), 403, 'permission_denied', /may call ListRooms, /),
  );

  test.each(['livekit.Egress/ListEgress', 'livekit.SIP/X', 'livekit.AgentDispatchService/X', 'x'])(
    'the service %s',
    (path) => {
      const call = task.call(`../${path}`, ADMIN, LIST);
      return refusedAs(call, 403, 'permission_denied', /may call ListRooms, /);
    },
  );

  it('another room', () =>
    refusedAs(task.call('ListParticipants', ADMIN, OTHERS), 403, 'permission_denied', /own room/));

  it('a call that is no POST', () => refusedAs(list({ method: 'GET' }), 404, 'bad_route', /POST/));

  it('another content type', () =>
    refusedAs(list({ headers: { 'content-type': 'text/plain' } }), 404, 'bad_route', /protobuf/));

  it('a body that is no request', () =>
    refusedAs(
      task.call('ListParticipants', ADMIN, '{"room":', {
        headers: { 'content-type': 'application/json' },
      }),
      400,
      'malformed',
      /no request of this method/,
    ));

  it('a body that is too large, whether it says so or not', async () => {
    const big = new Uint8Array(MAX_REQUEST_BYTES + 1);
    const declared = task.call('SendData', ADMIN, big);
    await refusedAs(declared, 400, 'malformed', /more than 262144 bytes/);
    const secret = taskSecret(GATEWAY_SECRET, 'blue', KEY).reveal();
    const token = await new AccessToken(KEY, secret).toJwt();
    const socket = connectTcp(gateway.port, '127.0.0.1');
    cleanup.defer(() => socket.destroy());
    const head = [
      'POST /twirp/livekit.RoomService/SendData HTTP/1.1',
      'host: x',
      `authorization: Bearer ${token}`,
      'content-type: application/protobuf',
      'transfer-encoding: chunked',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${big.length.toString(16)}\r\n`);
    socket.write(big);
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 400 [\s\S]*"malformed"/);
  });

  it('a token of another secret, deployment or of nobody', async () => {
    const stranger = taskApi({
      gatewayUrl: gatewayUrl(),
      gatewaySecret: new Secret('another'),
      deployment: 'blue',
      key: KEY,
    });
    for (const api of [stranger, apiOf(KEY, 'green')]) {
      const call = api.call('ListParticipants', ADMIN, LIST);
      await refusedAs(call, 401, 'unauthenticated', /LIVEKIT_API_SECRET/);
    }
    const project = new AccessToken(PROJECT.apiKey, PROJECT.apiSecret.reveal());
    project.addGrant(ADMIN);
    const headers = { authorization: `Bearer ${await project.toJwt()}` };
    await refusedAs(list({ headers }), 401, 'unauthenticated', /LIVEKIT_API_KEY/);
  });

  test.each([
    ['no grant', {}],
    ["a worker's", { agent: true }],
    ['roomAdmin of another room', { roomAdmin: true, room: 'another' }],
    ['roomAdmin of no room', { roomAdmin: true }],
    ['another grant', { roomList: true, roomCreate: true, room: ROOM_NAME }],
  ])('a token with %s', (_what, grant) => {
    const call = task.call('ListParticipants', grant, LIST);
    return refusedAs(call, 403, 'permission_denied', /grant roomAdmin/);
  });

  it('DeleteRoom with roomAdmin alone, as LiveKit has it', () => {
    const body = new DeleteRoomRequest({ room: ROOM_NAME }).toBinary();
    const call = task.call('DeleteRoom', ADMIN, body);
    return refusedAs(call, 403, 'permission_denied', /grant roomCreate/);
  });

  it('a task whose room is over, or not known', async () => {
    host.room = { answer: 'gone', reason: 'the room is over' };
    await refusedAs(list(), 404, 'not_found', /^the room is over$/);
    host.room = { answer: 'not-yet', reason: 'this task has no room yet' };
    const again = await outcome(list());
    expect(again).toMatchObject({ status: 503, code: 'unavailable' });
    expect(again.msg).toBe('this task has no room yet: try again');
  });
});

describe('too much', () => {
  it('at a time is refused, and only for the task that does it', async () => {
    const room = deferred<TaskRoom>();
    host.room = room.promise;
    const calls = Array.from({ length: CALLS_PER_TASK }, () => list());
    await waitFor('the calls', () => clock.pending === CALLS_PER_TASK);
    const told = await outcome(list());
    expect(told).toMatchObject({ status: 429, code: 'resource_exhausted' });
    expect(told.msg).toMatch(/8 under way/);
    const other = apiOf('r-RM_abc-2').call('ListParticipants', ADMIN, LIST);
    await waitFor('the other', () => clock.pending === CALLS_PER_TASK + 1);
    room.resolve({ answer: 'live', sid: SID, name: ROOM_NAME });
    for (const call of [...calls, other]) expect((await call).status).toBe(200);
    expect((await list()).status).toBe(200);
  });

  it('within a second is refused, and in the next one it is not', async () => {
    for (let i = 0; i < CALLS_PER_TASK_PER_SECOND; i++) expect((await list()).status).toBe(200);
    expect(await outcome(list())).toMatchObject({ code: 'resource_exhausted' });
    await clock.advance(1_000);
    expect((await list()).status).toBe(200);
  });
});

describe("LiveKit's errors", () => {
  it('come through as they are', async () => {
    const body = JSON.stringify({
      code: 'not_found',
      msg: 'no such participant',
      meta: { a: 'b' },
    });
    livekit.answer = { status: 404, body };
    const told = await outcome(list());
    expect(told).toEqual({ status: 404, code: 'not_found', msg: 'no such participant' });
    expect(event()?.fields).toMatchObject({ outcome: 'not_found', reason: undefined });
  });

  test.each([
    ['text', 401, `invalid API key: ${PROJECT.apiKey}`],
    ['an error', 401, `{"code":"unauthenticated","msg":"invalid API key: ${PROJECT.apiKey}"}`],
    ['a proxy', 403, PROJECT.apiKey],
  ])('about the credential stay here: %s', async (_what, status, body) => {
    livekit.answer = { status, body };
    const told = await outcome(list());
    expect(told).toMatchObject({ status: 500, code: 'internal' });
    expect(told.msg).not.toContain(PROJECT.apiKey);
    expect(event()?.level).toBe('warn');
  });

  test.each([
    ['a page', 502, '<html>bad gateway</html>'],
    ['JSON that is no error', 500, '{"error":"x"}'],
    ['a strange code', 500, '{"code":"<x>","msg":"y"}'],
  ])('of no known form are "unavailable": %s', async (_what, status, body) => {
    livekit.answer = { status, body };
    const msg = `LiveKit answered ${status}`;
    expect(await outcome(list())).toEqual({ status: 503, code: 'unavailable', msg });
  });

  it('a broken line, a redirection and an answer that cannot be read', async () => {
    livekit.answer = 'cut';
    expect(await outcome(list())).toMatchObject({ code: 'unavailable' });
    const elsewhere = cleanup.use(await FakeRoomService.start());
    livekit.answer = { status: 303, headers: { location: elsewhere.url }, body: '' };
    expect(await outcome(list())).toMatchObject({ code: 'unavailable' });
    expect(elsewhere.calls).toEqual([]);
    livekit.answer = { body: Uint8Array.from([0x0a, 0xff, 0x01]) };
    expect(await outcome(list())).toMatchObject({ code: 'internal' });
    expect(log.of('error')).toHaveLength(1);
  });
});

describe('time', () => {
  it('is bounded when LiveKit does not answer, and the call is given up', async () => {
    livekit.answer = 'hang';
    const call = list();
    await waitFor('the call', () => livekit.calls.length);
    await clock.advance(CALL_TIMEOUT_MS);
    expect(await outcome(call)).toMatchObject({ status: 408, code: 'deadline_exceeded' });
    await waitFor('the caller to hang up', () => livekit.givenUp === 1);
  });

  it('is bounded when the look does not end; what it says then is not acted on', async () => {
    const room = deferred<TaskRoom>();
    host.room = room.promise;
    const call = list();
    await waitFor('the look', () => clock.pending);
    await clock.advance(CALL_TIMEOUT_MS);
    expect(await outcome(call)).toMatchObject({ code: 'deadline_exceeded' });
    room.resolve({ answer: 'live', sid: SID, name: ROOM_NAME });
    expect((await list()).status).toBe(200);
    expect(livekit.calls).toHaveLength(1);
  });

  it('a launcher that ends gives up its calls', async () => {
    livekit.answer = 'hang';
    const call = list().catch(() => null);
    await waitFor('the call', () => livekit.calls.length);
    await gateway[Symbol.asyncDispose]();
    await call;
    await waitFor('LiveKit to be hung up on', () => livekit.givenUp === 1);
  });
});
