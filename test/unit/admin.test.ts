import { request } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refusalOf } from '../../launcher/admin/guard.ts';
import { createAdminListener, type AdminListener } from '../../launcher/admin/listener.ts';
import type { AdminHost, Readiness, StopAnswer } from '../../launcher/admin/ports.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import { RecentEvents } from '../../launcher/telemetry/recent.ts';
import { RecordedLog } from '../fakes/log.ts';

const READY: Readiness = {
  ready: true,
  firstPassDone: true,
  gatewayListening: true,
  livekit: { state: 'down', since: '2026-01-01T00:00:00.000Z', reason: 'no answer' },
  engine: { state: 'up', since: null, reason: null },
};
const ROOM = {
  name: 'a/b ü',
  sid: 'RM_1',
  profile: 'default',
  state: 'serving',
  reason: 'its agent is present',
  attempts: 1,
  task: 'r-RM_1-1',
  createdAt: null,
  participants: 2,
  otherAgents: 0,
} as const;

let listener: AdminListener;
let log: RecordedLog;
let recent: RecentEvents;
let readiness: Readiness;
let healthy: boolean;
let stopAnswer: StopAnswer | Error;
let stopped: string[];

function stop(what: string): Promise<StopAnswer> {
  stopped.push(what);
  return stopAnswer instanceof Error ? Promise.reject(stopAnswer) : Promise.resolve(stopAnswer);
}

const host: AdminHost = {
  healthy: () => healthy,
  ready: () => readiness,
  rooms: () => [ROOM],
  tasks: () => [],
  events: { since: (number) => recent.since(number), subscribe: (to) => recent.subscribe(to) },
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
  dashboard: {
    about: () => ({
      deployment: 'test',
      engine: 'memory',
      webhookListen: '',
      standbysWanted: new Map(),
    }),
    startUp: () => undefined,
    startUps: () => [],
    minutes: () => [],
  },
  roomName: (sid) => (sid === 'RM_1' ? 'a/b ü' : null),
  stopRoom: (name) => stop(`room ${name}`),
  stopTask: (key) => stop(`task ${key}`),
  logs: () => Promise.resolve(null),
};

beforeEach(async () => {
  log = new RecordedLog();
  recent = new RecentEvents(0);
  readiness = READY;
  healthy = true;
  stopAnswer = 'accepted';
  stopped = [];
  const listen = { host: '127.0.0.1', port: 0 };
  listener = await createAdminListener({ listen, host, log, clock: systemClock });
});
afterEach(() => listener.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** By Node's own client, because `fetch` does not let a test choose the Host header. */
function askText(
  method: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer & { readonly text: string }> {
  return new Promise((resolve, reject) => {
    const at = { host: '127.0.0.1', port: listener.port, method, path, headers };
    const sent = request(at, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode, headers: response.headers, text });
      });
    });
    sent.on('error', reject);
    sent.end();
  });
}

async function ask(method: string, path: string, headers: Record<string, string> = {}) {
  const answer = await askText(method, path, headers);
  const body: unknown = JSON.parse(answer.text || 'null');
  return { ...answer, body };
}

/** The status alone: pages are no JSON, and a live line has no end. */
function statusOf(method: string, path: string, headers: Record<string, string>) {
  return new Promise<number | undefined>((resolve, reject) => {
    const at = { host: '127.0.0.1', port: listener.port, method, path, headers };
    const sent = request(at, (response) => {
      resolve(response.statusCode);
      response.destroy();
    });
    sent.on('error', reject);
    sent.end();
  });
}

test('health depends on the process alone', async () => {
  readiness = { ...READY, ready: false };
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 200, body: { healthy: true } });
  healthy = false;
  expect(await ask('GET', '/healthz')).toMatchObject({ status: 503, body: { healthy: false } });
});

test('readiness tells of LiveKit and the engine, and does not depend on them', async () => {
  expect(await ask('GET', '/readyz')).toMatchObject({ status: 200, body: READY });
  readiness = { ...READY, ready: false, firstPassDone: false };
  expect(await ask('GET', '/readyz')).toMatchObject({ status: 503, body: readiness });
});

test('rooms and tasks are listed as JSON that nobody caches', async () => {
  const answer = await ask('GET', '/api/rooms');
  expect(answer).toMatchObject({ status: 200, body: [ROOM] });
  expect(answer.headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-store',
  });
  expect(await ask('GET', '/api/tasks')).toMatchObject({ status: 200, body: [] });
});

test.each<[StopAnswer, number, string, string]>([
  ['accepted', 202, '/api/rooms/lobby/stop', 'room lobby'],
  ['unknown', 404, '/api/rooms/lobby/stop', 'room lobby'],
  ['nothing-to-stop', 409, '/api/rooms/lobby/stop', 'room lobby'],
  ['accepted', 202, '/api/tasks/r-RM_1-1/stop', 'task r-RM_1-1'],
  ['unknown', 404, '/api/tasks/..%2F..%2Fetc/stop', 'task ../../etc'],
  ['nothing-to-stop', 409, '/api/tasks/r-RM_1-1/stop', 'task r-RM_1-1'],
  ['accepted', 202, `/api/rooms/${encodeURIComponent(ROOM.name)}/stop`, 'room a/b ü'],
  ['unknown', 404, '/api/rooms/%E0%A4/stop', 'room %E0%A4'],
])('stopping: %s answers %i at %s', async (answer, status, path, what) => {
  stopAnswer = answer;
  expect((await ask('POST', path)).status).toBe(status);
  expect(stopped).toEqual([what]);
});

test('a stop that fails answers 500 and says why in the log alone', async () => {
  stopAnswer = new Error('the engine is away');
  const answer = await ask('POST', '/api/rooms/lobby/stop');
  expect(answer.status).toBe(500);
  expect(JSON.stringify(answer.body)).not.toContain('away');
  expect(log.lines).toMatchObject([{ level: 'error', fields: { reason: 'the engine is away' } }]);
});

test('/metrics is text, and may be asked for by any name', async () => {
  for (const name of ['127.0.0.1', 'launcher.monitoring.svc:8082']) {
    const answer = await askText('GET', '/metrics', { host: name });
    expect(answer).toMatchObject({ status: 200, text: 'up 1\n' });
    expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4');
  }
});

test.each([
  ['GET', '/api/rooms/lobby/stop'],
  ['DELETE', '/api/rooms'],
  ['GET', '/nothing'],
])('%s %s answers 404', async (method, path) => {
  expect((await ask(method, path)).status).toBe(404);
  expect(stopped).toEqual([]);
});

test.each([
  '127.0.0.1:8082',
  '127.0.0.1',
  '10.1.2.3:80',
  '[::1]:8082',
  'localhost:8082',
  'LOCALHOST',
  'app.localhost:1',
])('the Host %s is accepted', async (name) => {
  expect((await ask('GET', '/api/rooms', { host: name })).status).toBe(200);
});

test.each([
  'evil.example:8082',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  'launcher_1:8082',
])('the Host "%s" is refused, save for probes', async (name) => {
  const headers = { host: name };
  expect((await ask('GET', '/api/rooms', headers)).status).toBe(403);
  expect((await ask('POST', '/api/rooms/lobby/stop', headers)).status).toBe(403);
  expect(stopped).toEqual([]);
});

test.each(['evil.example/localhost', 'user@localhost'])(
  'the Host "%s", which is none, is refused',
  async (name) => {
    expect((await ask('POST', '/api/rooms/lobby/stop', { host: name })).status).toBe(400);
    expect(stopped).toEqual([]);
  },
);

test('probes may come with any Host', async () => {
  const headers = { host: 'launcher.example' };
  expect((await ask('GET', '/healthz', headers)).status).toBe(200);
  expect((await ask('GET', '/readyz', headers)).status).toBe(200);
});

test.each([
  'http://evil.example',
  'https://evil.example:8082',
  'http://127.0.0.1:9',
  'http://localhost:8082',
  'null',
  '',
])('a POST from the origin "%s" is refused', async (origin) => {
  const headers = { host: '127.0.0.1:8082', origin };
  expect((await ask('POST', '/api/rooms/lobby/stop', headers)).status).toBe(403);
  expect(stopped).toEqual([]);
});

test.each([
  ['GET', '/', 'cross-site', 'navigate', 200],
  ['GET', '/', 'none', 'navigate', 200],
  ['GET', '/api/rooms', 'same-origin', 'cors', 200],
  ['GET', '/api/rooms', 'cross-site', 'no-cors', 403],
  ['GET', '/dashboard/live', 'same-site', 'cors', 403],
  ['POST', '/rooms/RM_1/stop', 'cross-site', 'navigate', 403],
  ['POST', '/rooms/RM_1/stop', 'same-site', 'no-cors', 403],
  ['POST', '/rooms/RM_1/stop', 'same-origin', 'cors', 202],
  ['POST', '/rooms/RM_2/stop', 'same-origin', 'cors', 404],
])(
  '%s %s, which the browser calls %s and %s, is answered %i',
  async (method, path, site, mode, status) => {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': mode };
    expect(await statusOf(method, path, headers)).toBe(status);
    expect(stopped).toEqual(status === 202 ? ['room RM_1'] : []);
  },
);

test.each([
  [
    'a page that frames us',
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    403,
  ],
  [
    'a link that somebody follows',
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    200,
  ],
  ["another page's script, by a browser that says no more", { origin: 'http://evil.example' }, 403],
])('%s', async (_title, headers, status) => {
  expect(await statusOf('GET', '/api/rooms', headers)).toBe(status);
});

test('pages may run and load nothing from elsewhere, nor be framed', async () => {
  const { headers } = await fetch(`http://127.0.0.1:${listener.port}/`);
  const policy = headers.get('content-security-policy');
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|\*|https?:/);
  expect(headers.get('referrer-policy')).toBe('no-referrer');
});

test('a POST from our own origin is accepted', async () => {
  const headers = { host: 'localhost:8082', origin: 'http://localhost:8082' };
  expect((await ask('POST', '/api/rooms/lobby/stop', headers)).status).toBe(202);
});

test('the name listened on is accepted as Host', () => {
  const read = { method: 'GET', host: 'Launcher.internal:8082', origin: undefined };
  expect(refusalOf(read, 'launcher.internal')).toBeNull();
  expect(refusalOf(read, '127.0.0.1')).not.toBeNull();
});
