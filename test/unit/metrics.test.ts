/** What events, calls and the state of things become in the exposition, and what they never become. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { AccessToken } from 'livekit-server-sdk';
import { expect, test } from 'vitest';
import { memoryDriver, MemoryEngine } from '../../launcher/drivers/memory.ts';
import { measuredDriver } from '../../launcher/drivers/measured.ts';
import { DriverError, type Driver, type TaskId, type TaskKey } from '../../launcher/driver.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import type { MeteredCall } from '../../launcher/lib/call-meter.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { LiveKitError } from '../../launcher/livekit/errors.ts';
import { measuredLiveKit } from '../../launcher/livekit/measured.ts';
import type { LiveKit } from '../../launcher/livekit/rooms.ts';
import { createLog } from '../../launcher/telemetry/log.ts';
import { webhookRoutes } from '../../launcher/webhook/listener.ts';
import { samplesOf } from '../support/exposition.ts';
import { roomRow, taskRow, ToldMetrics } from '../support/told-metrics.ts';

const signal = new AbortController().signal;

/** The launcher's own series. */
function ours(all: ReadonlyMap<string, number>): string[] {
  return [...all.keys()].filter((name) => name.startsWith('room_launcher_'));
}

async function seriesOf(seen: ToldMetrics): Promise<number> {
  return ours(samplesOf(await seen.text())).length;
}

/** Webhooks counted in all. */
function webhooks(all: ReadonlyMap<string, number>): number {
  const counts = [...all].map(([name, count]) =>
    name.startsWith('room_launcher_webhooks_total') ? count : 0,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

test('a cold start: each step and the whole of it, once', async () => {
  const seen = new ToldMetrics();
  const id = { task: 'r-RM_1-1', sid: 'RM_1', attempt: 1, profile: 'vip' };
  seen.tell('webhook.receive', { sid: 'RM_1', status: 200, webhook_event: 'room_started' });
  await seen.clock.advance(300);
  seen.tell('task.launch', { ...id, outcome: 'accepted', took_ms: 200 });
  await seen.clock.advance(2_000);
  for (const _ of [1, 2]) seen.tell('task.register', { task: id.task });
  seen.tell('task.assign', { ...id, outcome: 'assigned' });
  await seen.clock.advance(700);
  for (const _ of [1, 2]) seen.tell('task.active', id);

  const sum = (step: string) =>
    seen.value(`room_launcher_start_step_duration_seconds_sum{start="cold",step="${step}"}`);
  expect(await sum('webhook_to_launch')).toBeCloseTo(0.1);
  expect(await sum('launch_to_accepted')).toBeCloseTo(0.2);
  expect(await sum('accepted_to_registered')).toBeCloseTo(2);
  expect(await sum('registered_to_assigned')).toBe(0);
  expect(await sum('assigned_to_active')).toBeCloseTo(0.7);
  const whole = 'room_launcher_start_duration_seconds';
  expect(await seen.value(`${whole}_count{profile="vip",start="cold"}`)).toBe(1);
  expect(await seen.value(`${whole}_sum{profile="vip",start="cold"}`)).toBeCloseTo(3);
  expect(await seen.value('room_launcher_registrations_total')).toBe(2);
  expect(await seen.value('room_launcher_rooms_found_total{by="webhook"}')).toBe(1);
});

test("a standby's wait for a room is no step of its way", async () => {
  const seen = new ToldMetrics();
  const task = 's-default-0-12345678';
  seen.tell('task.launch', { task, profile: 'default', outcome: 'accepted', took_ms: 10 });
  await seen.clock.advance(1_000);
  seen.tell('task.register', { task });
  await seen.clock.advance(3_600_000);
  seen.tell('webhook.receive', { sid: 'RM_1', status: 200, webhook_event: 'room_started' });
  await seen.clock.advance(50);
  seen.tell('task.assign', { task, sid: 'RM_1', outcome: 'assigned' });
  await seen.clock.advance(60);
  seen.tell('task.active', { task, sid: 'RM_1', attempt: 1 });

  const sums = [...samplesOf(await seen.text())].filter(([name]) =>
    /^room_launcher_start_\w*sum/.test(name),
  );
  expect(Math.max(...sums.map(([, sum]) => sum))).toBeCloseTo(1);
  const whole = 'room_launcher_start_duration_seconds_sum{profile="default",start="standby"}';
  expect(await seen.value(whole)).toBeCloseTo(0.11);
});

test('a later attempt, a late webhook and old news count as no start of a room', async () => {
  const seen = new ToldMetrics();
  const start = async (sid: string, attempt: number, heardFirst: boolean) => {
    const id = { task: `r-${sid}-${attempt}`, sid, attempt, profile: 'default' };
    const heard = () => seen.tell('webhook.receive', { sid, status: 200 });
    if (heardFirst) heard();
    await seen.clock.advance(10);
    seen.tell('task.launch', { ...id, outcome: 'accepted', took_ms: 1 });
    await seen.clock.advance(10);
    if (!heardFirst) heard();
    seen.tell('task.active', id);
  };
  await start('RM_again', 2, true);
  await start('RM_late', 1, false);
  seen.tell('webhook.receive', { sid: 'RM_old', status: 200 });
  seen.tell('task.active', { task: 'r-RM_old-1', sid: 'RM_old', attempt: 1 }, 'debug');
  const whole = 'room_launcher_start_duration_seconds_count{profile="default",start="cold"}';
  expect(await seen.value(whole)).toBe(0);
  expect(await seen.value('room_launcher_rooms_found_total{by="list"}')).toBe(1);
  expect(await seen.value('room_launcher_rooms_found_total{by="webhook"}')).toBe(0);
});

test('events become counters by their fixed outcomes', async () => {
  const seen = new ToldMetrics();
  const launch = { task: 's-default-1-12345678', profile: 'default' };
  seen.tell('task.launch', { ...launch, outcome: 'refused', refusal: 'pulling' }, 'debug');
  seen.tell('task.launch', { ...launch, outcome: 'unknown' }, 'warn');
  seen.tell('task.assign', { task: launch.task, outcome: 'expired' }, 'warn');
  seen.tell('task.end', { task: 'r-RM_1-1', sid: 'RM_1', verdict: 'failed' }, 'warn');
  seen.tell('task.end', { task: 'r-RM_0-1', sid: 'RM_0', verdict: 'failed' }, 'debug');
  seen.tell('run.fail', { sid: 'RM_1', profile: 'vip', reason: 'x' }, 'warn');
  seen.tell('task.call', { task: 'r-RM_1-1', method: 'DeleteRoom', outcome: 'ok' }, 'debug');
  seen.tell('webhook.receive', { status: 401, reason: 'x', count: 7 }, 'warn');
  seen.tell('pass.run', { rooms: 3, tasks: 2, took_ms: 40 }, 'debug');
  seen.tell('pass.run', { sid: 'RM_1', state: 'serving', took_ms: 4 }, 'debug');

  const about = 'profile="default",task="standby"';
  const refused = `room_launcher_launches_total{${about},outcome="refused",reason="pulling"}`;
  expect(await seen.value(refused)).toBe(1);
  const unknown = `room_launcher_launches_total{${about},outcome="unknown",reason=""}`;
  expect(await seen.value(unknown)).toBe(1);
  expect(await seen.value('room_launcher_assignments_total{outcome="expired"}')).toBe(1);
  const ends = 'room_launcher_task_ends_total{task="room",verdict="failed"}';
  expect(await seen.value(ends)).toBe(1);
  expect(await seen.value('room_launcher_runs_failed_total{profile="vip"}')).toBe(1);
  expect(await seen.value('room_launcher_runs_failed_total{profile="default"}')).toBe(0);
  expect(await seen.value('room_launcher_server_api_calls_total{outcome="ok"}')).toBe(1);
  expect(await seen.value('room_launcher_webhooks_total{status="401",event=""}')).toBe(7);
  const passes = 'room_launcher_pass_duration_seconds';
  expect(await seen.value(`${passes}_sum{scope="full"}`)).toBeCloseTo(0.04);
  expect(await seen.value(`${passes}_count{scope="room"}`)).toBe(1);
  const ago = Date.now() / 1_000 - (await seen.value('room_launcher_full_pass_timestamp_seconds'));
  expect(ago).toBeGreaterThanOrEqual(0);
  expect(ago).toBeLessThan(60);
});

test('gauges tell what there is at the scrape, and forget what is gone', async () => {
  const seen = new ToldMetrics();
  seen.rooms = [roomRow({}), roomRow({ sid: 'RM_2', state: 'failed', profile: null })];
  seen.tasks = [
    taskRow({}),
    taskRow({ key: 's-default-0-12345678', standby: 'ready', socket: 'waiting' }),
    taskRow({ key: 's-default-1-12345678', standby: 'not-ready', socket: null }),
    taskRow({ key: 's-another-1-12345678', standby: 'ready', socket: null }),
    taskRow({ key: null, socket: null }),
  ];
  const down = { state: 'down', since: '2026-01-01T00:00:00.000Z', reason: 'x' } as const;
  seen.ready = { ...seen.ready, engine: down };
  expect(await seen.value('room_launcher_rooms{profile="default",state="serving"}')).toBe(1);
  expect(await seen.value('room_launcher_rooms{profile="",state="failed"}')).toBe(1);
  expect(await seen.value('room_launcher_tasks{task="standby",phase="running"}')).toBe(3);
  expect(await seen.value('room_launcher_damaged_tasks')).toBe(1);
  expect(await seen.value('room_launcher_gateway_sockets{state="waiting"}')).toBe(1);
  expect(await seen.value('room_launcher_standbys_ready{profile="default"}')).toBe(1);
  expect(await seen.value('room_launcher_standbys_wanted{profile="default"}')).toBe(2);
  expect(await seen.value('room_launcher_dependency_up{dependency="engine"}')).toBe(0);
  expect(await seen.value('room_launcher_dependency_up{dependency="livekit"}')).toBe(1);
  seen.rooms = [];
  seen.tasks = [];
  expect(await seen.value('room_launcher_rooms{profile="default",state="serving"}')).toBe(0);
  expect(await seen.value('room_launcher_gateway_sockets{state="waiting"}')).toBe(0);
  expect(await seen.text()).not.toContain('secret-name');
});

test('the longest wait for an agent begins with the first pass that saw it, and ends with it', async () => {
  const seen = new ToldMetrics();
  seen.rooms = [roomRow({}), roomRow({ sid: 'RM_2' })];
  const pass = (sid: string, state: string) => seen.tell('pass.run', { sid, state, took_ms: 1 });
  const longest = () => seen.value('room_launcher_longest_unserved_seconds');
  expect(await longest()).toBe(0);
  pass('RM_1', 'launching');
  await seen.clock.advance(60_000);
  pass('RM_1', 'running');
  pass('RM_2', 'waiting');
  expect(await longest()).toBe(60);
  pass('RM_1', 'serving');
  await seen.clock.advance(5_000);
  expect(await longest()).toBe(5);
  seen.rooms = [];
  expect(await longest(), 'a room that is over waits no more').toBe(0);
});

test('the engine: each call by its verb and outcome, errors by their kind', async () => {
  const noted: MeteredCall[] = [];
  const memory = memoryDriver(new MemoryEngine({ nowMs: () => 0 }), { deployment: 'us' });
  const driver = measuredDriver(memory, systemClock, (call) => {
    noted.push(call);
    throw new Error('whoever counts is broken');
  });
  const key = 'r-RM_1-1' as TaskKey;
  const request = { key, template: 'a', cpu: 1, memoryMiB: 1, profile: 'p', env: {} };
  const launched = await driver.launch(request, signal);
  expect(launched.outcome).toBe('accepted');
  await driver.list(signal);
  await driver.stop('nothing' as TaskId, { graceMs: 0, reason: '' }, signal);
  const away = new DriverError('unavailable', 'no answer');
  const broken = { ...memory, list: () => Promise.reject(away) } satisfies Driver;
  const measured = measuredDriver(broken, systemClock, (call) => noted.push(call));
  await expect(measured.list(signal)).rejects.toBe(away);
  expect(noted.map(({ verb, outcome }) => `${verb} ${outcome}`)).toEqual([
    'launch accepted',
    'list ok',
    'stop nothing-to-stop',
    'list unavailable',
  ]);
  const asFound = { prepare: undefined, watch: expect.any(Function) };
  expect(measured, 'what a driver lacks stays missing').toMatchObject(asFound);
});

test('LiveKit: the same', async () => {
  const noted: string[] = [];
  const refused = new LiveKitError('unauthorized', 'no');
  const livekit: LiveKit = {
    listRooms: async () => [],
    listParticipants: () => Promise.reject(refused),
    roomInfo: async () => null,
    dispatchOf: () => Promise.reject(new TypeError('a bug')),
  };
  const measured = measuredLiveKit(livekit, systemClock, ({ verb, outcome }) =>
    noted.push(`${verb} ${outcome}`),
  );
  await measured.listRooms(signal);
  await measured.listRooms(signal, 'lobby');
  await measured.roomInfo('lobby', signal);
  await expect(measured.listParticipants('lobby', signal)).rejects.toBe(refused);
  await expect(measured.dispatchOf('lobby', 'a', signal)).rejects.toThrow('a bug');
  expect(noted).toEqual([
    'list-rooms ok',
    'look-at-room ok',
    'look-at-room ok',
    'list-participants unauthorized',
    'list-dispatch error',
  ]);
});

test('a flood of webhooks, good and bad, adds no time series', async () => {
  const seen = new ToldMetrics();
  const log = createLog({
    level: 'silent',
    redact: [],
    clock: systemClock,
    listeners: [(told) => seen.metrics.listener(told)],
  });
  const secret = new Secret('secret-of-main');
  const routes = webhookRoutes({
    keys: [{ key: 'main', secret }],
    taskAttribute: 'a',
    clock: systemClock,
    log,
    nudge: () => {},
    healthy: () => true,
  });
  const send = async (n: number) => {
    const room = { sid: `RM_${n}`, name: `name-${n}` };
    const body = JSON.stringify({ event: n % 2 ? 'room_started' : `made_up_${n}`, room });
    const token = new AccessToken('main', n % 3 ? secret.reveal() : `wrong ${n}`, { ttl: 60 });
    token.sha256 = createHash('sha256').update(body).digest('base64');
    const authorization = n % 5 ? await token.toJwt() : `stranger ${n}`;
    const head = { method: 'POST', url: '/webhook', headers: { authorization } };
    const request = Object.assign(Readable.from([Buffer.from(body)]), head);
    await new Promise((end) => {
      routes(request as IncomingMessage, { writeHead() {}, end } as unknown as ServerResponse);
    });
  };
  for (let n = 0; n < 50; n += 1) await send(n);
  const before = samplesOf(await seen.text());
  for (let n = 50; n < 1_050; n += 1) await send(n);
  const after = samplesOf(await seen.text());
  expect(ours(after)).toEqual(ours(before));
  expect(webhooks(after)).toBeGreaterThan(webhooks(before) + 500);
  expect([...after.keys()].join()).not.toMatch(/RM_|name-|made_up/);
});

test('whatever the events say, labels stay few', async () => {
  const seen = new ToldMetrics();
  const tellAll = (text: string) => {
    const task = `r-RM_${text}-1`;
    const odd = { outcome: text, verdict: text, profile: text, refusal: text, status: text };
    const fields = { ...odd, webhook_event: text, task, sid: text, reason: text, state: text };
    for (const event of ['webhook.receive', 'task.launch', 'task.assign', 'task.end'] as const) {
      seen.tell(event, fields);
      seen.tell(event, { ...fields, outcome: event === 'task.launch' ? 'accepted' : 'assigned' });
    }
    for (const event of ['run.fail', 'task.call', 'task.active'] as const) seen.tell(event, fields);
    seen.tell('pass.run', { ...fields, took_ms: 1 });
  };
  tellAll('first');
  const before = [...samplesOf(await seen.text()).keys()];
  for (let n = 0; n < 500; n += 1) tellAll(`odd-${n}`);
  const after = [...samplesOf(await seen.text()).keys()];
  expect(after.filter((name) => !before.includes(name))).toEqual([]);
  expect(after.join()).not.toMatch(/odd-|first/);
});

test('how many time series there are is what docs/metrics.md says', async () => {
  const profiles = [{ name: 'default' }, { name: 'vip' }, { name: 'third' }];
  const [one, two, three] = await Promise.all(
    [1, 2, 3].map((count) => seriesOf(new ToldMetrics(profiles.slice(0, count)))),
  );
  expect(one).toBeLessThan(700);
  expect(two! - one!).toBeLessThan(80);
  expect(three! - two!).toBe(two! - one!);

  const worst = new ToldMetrics(profiles.slice(0, 1));
  const kinds = ['unavailable', 'throttled', 'denied', 'conflict', 'invalid', 'error'];
  for (const outcome of [...kinds, 'ok', 'accepted', 'refused', 'unknown', 'nothing-to-stop']) {
    for (const verb of ['launch', 'list', 'stop', 'remove', 'prepare']) {
      worst.metrics.engineCall({ verb, outcome, tookMs: 1 });
    }
  }
  for (const outcome of ['ok', 'unauthorized', 'unavailable', 'invalid', 'error']) {
    for (const verb of ['list-rooms', 'look-at-room', 'list-participants', 'list-dispatch']) {
      worst.metrics.livekitCall({ verb, outcome, tookMs: 1 });
    }
  }
  expect(await seriesOf(worst)).toBeLessThan(1_700);
});
