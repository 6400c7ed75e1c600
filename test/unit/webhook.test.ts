import { createHash, createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SAY_EVERY_MS } from '../../launcher/lib/counted-warning.ts';
import { CLOCK_SKEW_MAX_SECONDS } from '../../launcher/lib/token-fault.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { createWebhookListener, type WebhookListener } from '../../launcher/webhook/listener.ts';
import type { WebhookNudge } from '../../launcher/webhook/nudge.ts';
import { FakeClock } from '../fakes/clock.ts';
import { RecordedLog } from '../fakes/log.ts';
import { waitFor } from '../support/wait.ts';

const KEYS = [
  { key: 'main', secret: 'secret-of-main' },
  { key: 'second', secret: 'secret-of-second' },
  // A key whose secret changes: both hold for a while.
  { key: 'second', secret: 'next-secret-of-second' },
];
const ROOM_STARTED = JSON.stringify({
  event: 'room_started',
  id: 'EV_1',
  room: { sid: 'RM_1', name: 'a private name', turnPassword: 'x', futureField: 1 },
  createdAt: '1700000000',
});

let clock: FakeClock;
let listener: WebhookListener;
let log: RecordedLog;
let nudges: WebhookNudge[];
let healthy: boolean;
let failNudge: boolean;

beforeEach(async () => {
  clock = new FakeClock();
  log = new RecordedLog();
  nudges = [];
  healthy = true;
  failNudge = false;
  listener = await createWebhookListener({
    listen: { host: '127.0.0.1', port: 0 },
    keys: KEYS.map(({ key, secret }) => ({ key, secret: new Secret(secret) })),
    taskAttribute: 'the.task',
    clock,
    log,
    nudge(nudge) {
      if (failNudge) throw new Error('a bug');
      nudges.push(nudge);
    },
    healthy: () => healthy,
  });
});
afterEach(() => listener.close());

interface Signing {
  readonly key?: string;
  readonly secret?: string;
  readonly ttlSeconds?: number;
  readonly body?: string;
}

/** A token as LiveKit's server signs a webhook. */
function sign(body: string, signing: Signing = {}): Promise<string> {
  const { key = 'main', secret = 'secret-of-main', ttlSeconds = 300 } = signing;
  const token = new AccessToken(key, secret, { ttl: ttlSeconds });
  token.sha256 = sha256(signing.body ?? body);
  return token.toJwt();
}

function sha256(body: string): string {
  return createHash('sha256').update(body).digest('base64');
}

function url(path = '/webhook'): string {
  return `http://127.0.0.1:${listener.port}${path}`;
}

async function send(body: string, authorization?: string) {
  const headers = new Headers({ 'content-type': 'application/webhook+json' });
  if (authorization !== undefined) headers.set('authorization', authorization);
  const response = await fetch(url(), { method: 'POST', body, headers });
  return { status: response.status, text: await response.text() };
}

/** Settles what a 200 may have set off. */
const afterwards = () => new Promise((resolve) => void setImmediate(resolve));

test('a signed webhook is answered 200 and nudges', async () => {
  expect(await send(ROOM_STARTED, await sign(ROOM_STARTED))).toEqual({ status: 200, text: 'ok\n' });
  await waitFor('the nudge', () => nudges[0]);
  expect(nudges).toEqual([
    {
      event: 'room_started',
      roomName: 'a private name',
      sid: 'RM_1',
      participants: 0,
      createdAtMs: 1_700_000_000_000,
    },
  ]);
  expect(log.lines).toEqual([
    {
      level: 'info',
      text: 'webhook.receive',
      fields: { webhook_event: 'room_started', sid: 'RM_1', status: 200, reason: 'nudged' },
    },
  ]);
});

test.each([
  ['second', 'secret-of-second'],
  ['second', 'next-secret-of-second'],
])('the further key %s with %s may sign too', async (key, secret) => {
  expect((await send(ROOM_STARTED, await sign(ROOM_STARTED, { key, secret }))).status).toBe(200);
});

test('who joined or left comes along', async () => {
  const participant = {
    identity: 'agent-RM_1',
    kind: 'AGENT',
    attributes: { 'the.task': 'r-RM_1-1', other: 'x' },
    disconnectReason: 'ROOM_DELETED',
  };
  const room = { sid: 'RM_1', name: 'n' };
  const left = JSON.stringify({ event: 'participant_left', room, participant });
  const joined = { event: 'participant_joined', room, participant: { identity: 'someone' } };
  await send(left, await sign(left));
  await send(JSON.stringify(joined), await sign(JSON.stringify(joined)));
  await waitFor('both nudges', () => nudges.length === 2);
  expect(nudges.map((nudge) => nudge.participant)).toEqual([
    { identity: 'agent-RM_1', kind: 'agent', taskKey: 'r-RM_1-1', disconnectReason: 5 },
    { identity: 'someone', kind: 'other' },
  ]);
});

test('five events nudge', async () => {
  const names = ['room_started', 'room_finished'];
  names.push('participant_joined', 'participant_left', 'participant_connection_aborted');
  for (const event of names) {
    const body = JSON.stringify({ event, room: { sid: 'RM_1', name: 'n' } });
    await send(body, await sign(body));
  }
  await waitFor('all nudges', () => nudges.length === names.length);
  expect(nudges.map((nudge) => nudge.event)).toEqual(names);
});

test.each([
  ['unknown event', { event: 'room_painted', room: { sid: 'RM_1', name: 'n' } }],
  ['uninteresting event', { event: 'track_published', room: { sid: 'RM_1', name: 'n' } }],
  ['no event', { room: { sid: 'RM_1', name: 'n' } }],
  ['no room', { event: 'room_started' }],
  ['a room without sid', { event: 'room_started', room: { name: 'n' } }],
])('%s: answered 200, ignored, and told only to who asks for it', async (_title, content) => {
  const body = JSON.stringify(content);
  const answer = await send(body, await sign(body));
  expect(answer).toEqual({ status: 200, text: 'ignored\n' });
  await afterwards();
  expect(nudges).toEqual([]);
  const told = log.lines.map(({ level, fields }) => `${level} ${String(fields['reason'])}`);
  expect(told).toEqual(['debug ignored']);
});

test('a nudge that throws costs a line, not the answer', async () => {
  failNudge = true;
  expect((await send(ROOM_STARTED, await sign(ROOM_STARTED))).status).toBe(200);
  const line = await waitFor('the line', () => log.lines.find(({ level }) => level === 'error'));
  expect(line.fields).toEqual({ sid: 'RM_1', reason: 'a bug' });
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const CLAIMS = { iss: 'main', exp: 4_000_000_000, sha256: sha256(ROOM_STARTED) };

const REFUSED: readonly [string, () => Promise<string> | string | undefined, RegExp, string?][] = [
  ['no signature', () => undefined, /no Authorization/],
  ['an empty signature', () => '', /no Authorization/],
  ['garbage', () => 'garbage', /no LiveKit webhook token/],
  ['three garbage parts', () => 'a.b.c', /no LiveKit webhook token/],
  ['wrong secret', () => sign(ROOM_STARTED, { secret: 'another' }), /does not fit the secret/],
  ['unknown key', () => sign(ROOM_STARTED, { key: 'foreign' }), /not known here/],
  [
    'another key with the secret of ours',
    () => sign(ROOM_STARTED, { key: 'second' }),
    /does not fit the secret/,
  ],
  ['expired', () => sign(ROOM_STARTED, { ttlSeconds: -60 }), /expired/],
  ['body tampered with', () => sign(ROOM_STARTED), /not the one that was signed/, '{"event":"x"}'],
  ['another body', () => sign('', { body: '{}' }), /not the one that was signed/],
  [
    'a token for a room',
    async () => {
      const token = new AccessToken('main', 'secret-of-main', { identity: 'someone' });
      token.addGrant({ roomJoin: true, room: 'n' });
      return token.toJwt();
    },
    /no LiveKit webhook token/,
  ],
  ['no algorithm', () => `${encode({ alg: 'none' })}.${encode(CLAIMS)}.`, /no LiveKit webhook/],
  ['another algorithm', () => `${encode({ alg: 'RS256' })}.${encode(CLAIMS)}.eA`, /no LiveKit/],
  ['a made-up signature', () => `${encode({ alg: 'HS256' })}.${encode(CLAIMS)}.eA`, /does not fit/],
  [
    'Bearer before it',
    async () => `Bearer ${await sign(ROOM_STARTED)}`,
    /no LiveKit webhook token/,
  ],
];

test.each(REFUSED)('401: %s', async (_title, authorization, reason, body = ROOM_STARTED) => {
  const answer = await send(body, await authorization());
  expect(answer.status).toBe(401);
  expect(answer.text).toMatch(reason);
  expect(answer.text.trimEnd()).not.toContain('\n');
  await afterwards();
  expect(nudges).toEqual([]);
  expect(log.lines).toMatchObject([{ level: 'warn', fields: { status: 401 } }]);
});

const HS = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' } as const;

/** A token made by hand: good, with what `claims` says instead. */
function forged(claims: object, alg: keyof typeof HS = 'HS256', secret = 'secret-of-main'): string {
  const text = `${encode({ alg })}.${encode({ ...CLAIMS, ...claims })}`;
  return `${text}.${createHmac(HS[alg], secret).update(text).digest('base64url')}`;
}

test.each(['HS384', 'HS512'] as const)('401: signed well, but by %s', async (alg) => {
  expect((await send(ROOM_STARTED, forged({}))).status).toBe(200);
  const answer = await send(ROOM_STARTED, forged({}, alg));
  expect([answer.status, answer.text]).toEqual([401, expect.stringMatching(/no LiveKit webhook/)]);
});

test('401: bytes that only read like the signed ones', async () => {
  const signed = JSON.stringify({ event: 'room_started', room: { sid: 'RM_1', name: '\uFFFD' } });
  const bytes = Buffer.from(signed);
  const at = bytes.indexOf(Buffer.from('\uFFFD'));
  const other = Buffer.concat([bytes.subarray(0, at), Buffer.from([0xff]), bytes.subarray(at + 3)]);
  expect(other.toString()).toBe(signed);
  const headers = { authorization: await sign(signed) };
  const status = async (body: Uint8Array<ArrayBuffer>) =>
    (await fetch(url(), { method: 'POST', headers, body })).status;
  expect(await status(new Uint8Array(other))).toBe(401);
  expect(await status(new Uint8Array(bytes))).toBe(200);
});

const nowSeconds = () => Math.floor(Date.now() / 1000);

describe('clocks that differ', () => {
  const { max, over } = { max: CLOCK_SKEW_MAX_SECONDS - 5, over: CLOCK_SKEW_MAX_SECONDS + 5 };

  test.each<[string, () => object]>([
    ["LiveKit's is behind", () => ({ exp: nowSeconds() - max })],
    ["LiveKit's is ahead", () => ({ nbf: nowSeconds() + max, exp: nowSeconds() + max + 300 })],
  ])('by less than a minute are forgiven: %s', async (_title, claims) => {
    expect((await send(ROOM_STARTED, forged(claims()))).status).toBe(200);
  });

  test.each<[string, () => object, string]>([
    ['behind', () => ({ exp: nowSeconds() - over }), 'the token has expired; compare the clocks\n'],
    [
      'ahead',
      () => ({ nbf: nowSeconds() + over, exp: nowSeconds() + over + 300 }),
      'the token is not valid yet; compare the clocks\n',
    ],
    ['unknown', () => ({ exp: undefined }), 'the token says no times for which it holds\n'],
    ['no number', () => ({ nbf: 'soon' }), 'the token says no times for which it holds\n'],
  ])('by more are named: LiveKit’s is %s', async (_title, claims, text) => {
    expect(await send(ROOM_STARTED, forged(claims()))).toEqual({ status: 401, text });
  });

  test('the right secret among several says what is wrong', async () => {
    const claims = { iss: 'second', nbf: nowSeconds() + over };
    for (const secret of ['secret-of-second', 'next-secret-of-second']) {
      const answer = await send(ROOM_STARTED, forged(claims, 'HS256', secret));
      expect(answer.text).toMatch(/compare the clocks/);
    }
  });
});

test('refusals are said once a minute for each reason, with their number', async () => {
  const expired = () => sign(ROOM_STARTED, { ttlSeconds: -600 });
  for (let n = 0; n < 5; n++) await send(ROOM_STARTED, 'garbage');
  for (let n = 0; n < 3; n++) await send(ROOM_STARTED, await expired());
  const said = () => log.lines.map(({ fields: { status, count } }) => `${status} ${count}`);
  expect(said()).toEqual(['401 1', '401 1']);
  await clock.advance(SAY_EVERY_MS);
  await send(ROOM_STARTED, 'garbage');
  await send(ROOM_STARTED, await expired());
  expect(said()).toEqual(['401 1', '401 1', '401 5', '401 3']);
  await send(ROOM_STARTED, await sign(ROOM_STARTED));
  expect(log.lines.at(-1)?.fields).toMatchObject({ status: 200 });
});

test.each([
  ['no body', '', /empty/],
  ['not JSON', 'event=room_started', /no webhook event/],
  ['a JSON text', '"room_started"', /no webhook event/],
  ['a list', '[]', /no webhook event/],
  ['fields of the wrong type', '{"event":5}', /no webhook event/],
])('400: %s', async (_title, body, reason) => {
  const answer = await send(body, await sign(body));
  expect(answer.status).toBe(400);
  expect(answer.text).toMatch(reason);
});

describe('large bodies', () => {
  const large = 'x'.repeat(2 * 1024 * 1024);

  test('413 for 2 MiB with a length', async () => {
    expect(await send(large, await sign(large))).toEqual({
      status: 413,
      text: 'the body has more than 1048576 bytes\n',
    });
  });

  test('413 for a length of 2 MiB, before any of it is read', async () => {
    const socket = connect(listener.port, '127.0.0.1');
    try {
      socket.write('POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 2097152\r\n\r\n');
      const [answer] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    } finally {
      socket.destroy();
    }
  });

  const inChunks = async (headers?: Record<string, string>) => {
    const body = new Blob([large]).stream();
    const init = { method: 'POST', body, duplex: 'half', ...(headers && { headers }) } as const;
    return (await fetch(url(), init)).status;
  };

  test('413 for 2 MiB in chunks', async () => {
    expect(await inChunks({ authorization: await sign(large) })).toBe(413);
  });

  test('401 for 2 MiB in chunks that nobody signed: none of it is read', async () => {
    expect(await inChunks()).toBe(401);
  });

  test('1 MiB is read', async () => {
    const body = JSON.stringify({ event: 'x', id: '' }).replace('""', `"${'x'.repeat(1048555)}"`);
    expect(body).toHaveLength(1024 * 1024);
    expect((await send(body, await sign(body))).status).toBe(200);
  });
});

test('a sender that goes away in the middle harms nothing', async () => {
  const socket = connect(listener.port, '127.0.0.1');
  await once(socket, 'connect');
  const head = `Host: x\r\nAuthorization: ${await sign('')}\r\nContent-Length: 100`;
  socket.write(`POST /webhook HTTP/1.1\r\n${head}\r\n\r\n{"eve`);
  await afterwards();
  socket.destroy();
  await waitFor('the refusal', () => log.lines.find(({ fields }) => fields['status'] === 400));
  expect(log.lines.map(({ level }) => level)).toEqual(['warn']);
});

test.each([
  ['GET', '/healthz', 200],
  ['HEAD', '/healthz', 200],
  ['POST', '/healthz', 405],
  ['GET', '/webhook', 405],
  ['PUT', '/webhook', 405],
  ['GET', '/', 404],
  ['POST', '/webhook/x', 404],
  ['GET', '/api/rooms', 404],
])('%s %s answers %i', async (method, path, status) => {
  const response = await fetch(url(path), { method });
  await response.arrayBuffer();
  expect(response.status).toBe(status);
});

test('an answer says its length: its connection goes on with the next webhook', async () => {
  const response = await fetch(url('/healthz'));
  expect(await response.text()).toBe('ok\n');
  expect(response.headers.get('content-length')).toBe('3');
  expect(response.headers.get('connection')).toBe('keep-alive');
});

test('/healthz tells when the process is not well', async () => {
  healthy = false;
  const response = await fetch(url('/healthz'));
  expect([response.status, await response.text()]).toEqual([503, 'unwell\n']);
});

test('whatever strangers send is refused with 4xx, and nothing nudges', async () => {
  const header = fc.oneof(
    fc.stringMatching(/^[!-~]{1,60}$/),
    fc
      .tuple(fc.json(), fc.json(), fc.string())
      .map((parts) => parts.map((part) => Buffer.from(part).toString('base64url')).join('.')),
    fc
      .record({ iss: fc.constantFrom('main', 'second', 'x'), sha256: fc.string() })
      .map((claims) => `${encode({ alg: 'HS256' })}.${encode(claims)}.eA`),
  );
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(Buffer.from(ROOM_STARTED)),
  );
  await fc.assert(
    fc.asyncProperty(fc.option(header), body, async (authorization, bytes) => {
      const headers = new Headers(authorization === null ? {} : { authorization });
      const response = await fetch(url(), { method: 'POST', headers, body: new Uint8Array(bytes) });
      await response.arrayBuffer();
      expect([400, 401]).toContain(response.status);
    }),
    { numRuns: 300 },
  );
  await afterwards();
  expect(nudges).toEqual([]);
});

test('no room name, identity or token is ever logged', async () => {
  const token = await sign(ROOM_STARTED);
  await send(ROOM_STARTED, token);
  await send(`${ROOM_STARTED} `, token);
  const printed = JSON.stringify(log.lines);
  expect(log.lines).toHaveLength(2);
  for (const word of ['a private name', token, 'secret-of']) expect(printed).not.toContain(word);
});
