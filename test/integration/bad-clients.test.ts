/**
 * Strangers and broken workers at the doors of a running launcher: each is refused with a reason,
 * nothing is launched for it, and the launcher goes on serving.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobType, RegisterWorkerRequest } from '@livekit/protocol';
import { AccessToken, type RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { TaskKey } from '../../launcher/driver.ts';
import { taskSecret } from '../../launcher/gateway/credentials.ts';
import { encodeWorker } from '../../launcher/gateway/wire.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { Cleanup } from '../support/cleanup.ts';
import { roomClient, startTestLauncher, type TestLauncher } from '../support/launcher.ts';
import { describeWithLiveKit, startTestServer } from '../support/livekit-server.ts';
import { agentFile as fixture } from '../support/runner.ts';
import { launches, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const GATEWAY_SECRET = new Secret('a-gateway-secret-of-more-than-32-letters');
const KEY = { apiKey: 'APIours', apiSecret: 'the-api-secret-of-this-test-and-no-other' };
const MIB = 1024 * 1024;

const reExport = (name: string) => `export default (await import('${fixture(name)}')).default;\n`;

const cleanup = new Cleanup();
let agent: string;
let launcher: TestLauncher;
let rooms: RoomServiceClient;
let room: { readonly sid: string; readonly name: string };

function roomStarted({ sid, name }: { readonly sid: string; readonly name: string }): string {
  return JSON.stringify({ event: 'room_started', id: 'EV_1', room: { sid, name } });
}

interface Signing {
  readonly apiKey?: string;
  readonly apiSecret?: string;
  readonly ttlSeconds?: number;
}

function signed(body: string, signing: Signing = {}): Promise<string> {
  const { apiKey, apiSecret, ttlSeconds: ttl = 60 } = { ...KEY, ...signing };
  const token = new AccessToken(apiKey, apiSecret, { ttl });
  token.sha256 = createHash('sha256').update(body).digest('base64');
  return token.toJwt();
}

async function send(body: string, authorization: string, path = '/webhook') {
  const url = launcher.webhookUrl.replace('/webhook', path);
  const response = await fetch(url, { method: 'POST', body, headers: { authorization } });
  return { status: response.status, line: await response.text() };
}

/** Nudges about a new room by a good webhook, and waits for its launch. */
async function launched(name: string): Promise<TaskKey> {
  const created = await rooms.createRoom({ name });
  const body = roomStarted(created);
  expect(await send(body, await signed(body))).toEqual({ status: 200, line: 'ok\n' });
  const key = `r-${created.sid}-1` as TaskKey;
  const running = async () =>
    (await launcher.tasks()).some((task) => task.key === key && task.phase === 'running');
  await waitFor(`task ${key} to run`, running);
  return key;
}

/** Ends a room's task that never dials, so that it takes up no launch any more. */
async function release(name: string): Promise<void> {
  expect(
    (await launcher.admin(`/api/rooms/${encodeURIComponent(name)}/stop`, { method: 'POST' }))
      .status,
  ).toBe(202);
  const { sid } = (await launcher.rooms()).find((row) => row.name === name) ?? {};
  const over = async () =>
    (await launcher.tasks()).every((task) => task.sid !== sid || task.phase === 'ended');
  await waitFor(`the task of ${name} to end`, over);
}

const good = () => roomStarted(room);
type Sent = () => Promise<{ status: number; line: string }>;

const url = (path = '/agent') => `ws://127.0.0.1:${launcher.ports.gateway}${path}`;
const secretOf = (key: string) => taskSecret(GATEWAY_SECRET, 'test', key as TaskKey).reveal();

async function bearer(key: string, secret = secretOf(key), ttl = 60): Promise<string> {
  const token = new AccessToken(key, secret, { ttl });
  token.addGrant({ agent: true });
  return `Bearer ${await token.toJwt()}`;
}

/** A dial's answer: the status and line of its refusal, or the open socket. */
function dial(authorization: string, path?: string) {
  const socket = new WebSocket(url(path), { headers: { authorization } });
  cleanup.defer(() => socket.terminate());
  return new Promise<{ status: number; line: string } | WebSocket>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => resolve(socket));
    socket.on('unexpected-response', (_request, response) => {
      let line = '';
      response.setEncoding('utf8').on('data', (part: string) => (line += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, line }));
    });
  });
}

const NOBODY = 'r-RM_nobody-1';

describeWithLiveKit('a running launcher', () => {
  /** The server sends no webhooks and no resync follows: only this test's webhooks nudge. */
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bad-clients-'));
    cleanup.defer(() => rm(folder, { recursive: true }));
    agent = join(folder, 'agent.mjs');
    await writeFile(agent, reExport('never-dials.mjs'));
    const { apiKey } = KEY;
    const apiSecret = new Secret(KEY.apiSecret);
    const server = cleanup.use(await startTestServer({ apiKey, apiSecret }));
    rooms = roomClient(server);
    const env = {
      LAUNCHER_AGENT_FILE: agent,
      LAUNCHER_GATEWAY_SECRET: GATEWAY_SECRET.reveal(),
      LAUNCHER_RESYNC_SECONDS: '3600',
    };
    launcher = cleanup.use(await startTestLauncher({ server, env }));
    room = await rooms.createRoom({ name: 'live' });
  });
  afterAll(() => cleanup.run());

  describe('hears webhooks, and', () => {
    test.each<[title: string, send: Sent, status: number, line: string]>([
      [
        'a bad signature',
        async () => send(good(), await signed(good(), { apiSecret: 'x'.repeat(40) })),
        401,
        'the signature does not fit the secret of its API key: check LAUNCHER_WEBHOOK_KEYS',
      ],
      [
        'a foreign key',
        async () => send(good(), await signed(good(), { apiKey: 'APIother' })),
        401,
        'signed with an API key that is not known here: ' +
          'add it with its secret to LAUNCHER_WEBHOOK_KEYS',
      ],
      [
        'a tampered body',
        async () => send(`${good()} `, await signed(good())),
        401,
        'the body is not the one that was signed',
      ],
      [
        'an expired token',
        async () => send(good(), await signed(good(), { ttlSeconds: -60 })),
        401,
        'the token has expired; compare the clocks',
      ],
      ['no token', () => send(good(), ''), 401, 'no Authorization header'],
      [
        'no JWT',
        () => send(good(), 'Bearer x'),
        401,
        'the Authorization header is no LiveKit webhook token',
      ],
      ['no body', async () => send('', await signed('')), 400, 'the body is empty'],
      [
        'a body of 2 MiB',
        async () => send('x'.repeat(2 * MIB), await signed(good())),
        413,
        'the body has more than 1048576 bytes',
      ],
      [
        'what is not JSON',
        async () => send('no JSON', await signed('no JSON')),
        400,
        'the body is no webhook event of LiveKit',
      ],
      [
        'an unknown event',
        async () => {
          const body = good().replace('room_started', 'room_painted');
          return send(body, await signed(body));
        },
        200,
        'ignored',
      ],
      [
        'a wrong path',
        async () => send(good(), await signed(good()), '/hook'),
        404,
        'LiveKit sends its webhooks to /webhook',
      ],
    ])('answers %s', async (_title, sent, status, line) => {
      expect(await sent()).toEqual({ status, line: `${line}\n` });
    });

    test('answers GET with 405', async () => {
      const response = await fetch(launcher.webhookUrl);
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe('POST');
      expect(await response.text()).toBe('webhooks are sent by POST\n');
    });

    test('launched nothing for all that, and does for a good one', async () => {
      await launched('nudged');
      expect(launches(launcher)).toHaveLength(1);
      expect(launcher.output()).not.toContain(KEY.apiSecret);
      const body = good();
      await send(body, await signed(body));
      await waitFor('the other launch', () => launches(launcher).length === 2);
      await release('nudged');
      await release('live');
    });
  });

  describe('has a gateway that', () => {
    test.each<[title: string, authorization: () => Promise<string>, status: number, line: string]>([
      ['no token', async () => '', 401, 'no Authorization header with a bearer token'],
      [
        'the project key',
        () => bearer(KEY.apiKey, KEY.apiSecret),
        401,
        "the token's API key is not a task's: use the LIVEKIT_API_KEY that the launcher set",
      ],
      [
        'a wrong signature',
        () => bearer(NOBODY, 'x'.repeat(40)),
        401,
        "the token is not signed with its task's secret: " +
          'use the LIVEKIT_API_SECRET that the launcher set',
      ],
      [
        'an expired token',
        () => bearer(NOBODY, secretOf(NOBODY), -120),
        401,
        'the token has expired: compare the clocks',
      ],
      ['an unknown task', () => bearer(NOBODY), 503, 'the engine does not list this task'],
    ])('refuses %s', async (_title, authorization, status, line) => {
      expect(await dial(await authorization())).toEqual({ status, line: `${line}\n` });
    });

    test('refuses a wrong path, and plain HTTP', async () => {
      const wrong = await dial(await bearer(NOBODY), '/rtc');
      expect(wrong).toEqual({ status: 404, line: 'not found: workers dial /agent\n' });
      const plain = await fetch(url().replace('ws', 'http'));
      expect(plain.status).toBe(404);
      expect(await plain.text()).toBe('not found: workers open a WebSocket at /agent\n');
    });

    const publisher = encodeWorker({
      case: 'register',
      value: new RegisterWorkerRequest({ type: JobType.JT_PUBLISHER }),
    });

    test.each<[title: string, frame: Uint8Array | string, code: number, reason: string]>([
      ['garbage', new Uint8Array(500).fill(255), 1007, 'a frame is no WorkerMessage of LiveKit'],
      ['text', '{"register":{}}', 1003, 'only binary frames are understood'],
      [
        'another job type',
        publisher,
        1008,
        'only room workers are served: set the worker type to ROOM (JT_ROOM)',
      ],
    ])('closes on %s with a reason, and bars the worker', async (title, frame, code, reason) => {
      const key = await launched(`of ${title}`);
      const socket = await dial(await bearer(key));
      if (!(socket instanceof WebSocket)) throw new Error(`refused: ${socket.line}`);
      const closed = new Promise((resolve) => {
        socket.on('close', (gotCode, text) => resolve({ code: gotCode, reason: text.toString() }));
      });
      socket.send(frame);
      expect(await closed).toEqual({ code, reason });
      expect(await dial(await bearer(key))).toEqual({
        status: 403,
        line: 'this worker broke the protocol; the launcher logged how\n',
      });
      const said = launcher.lines().filter(({ level, fields }) => {
        return level === 'warn' && fields['task'] === key && fields['reason'] === reason;
      });
      expect(said).toHaveLength(1);
      await release(`of ${title}`);
    });

    test('still serves the next room', async () => {
      await writeFile(agent, reExport('example'));
      await launched('after all');
      await served({ rooms }, 'after all');
    });
  });
});
