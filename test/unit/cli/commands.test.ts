/** What commands say when not all is well, by a real admin listener over a launcher that is made up. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAdminListener, type AdminListener } from '../../../launcher/admin/listener.ts';
import type { AdminHost, Readiness, RoomRow, TaskRow } from '../../../launcher/admin/ports.ts';
import { type CommandIo, ending, waiting } from '../../../launcher/cli/io.ts';
import { logs } from '../../../launcher/cli/logs.ts';
import { rooms } from '../../../launcher/cli/rooms.ts';
import { stop } from '../../../launcher/cli/stop.ts';
import { DriverError, type Output } from '../../../launcher/driver.ts';
import { delay, systemClock } from '../../../launcher/lib/clock.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { RecordedLog } from '../../fakes/log.ts';
import { waitFor } from '../../support/wait.ts';

const UP = { state: 'up', since: null, reason: null } as const;
const DOWN = { state: 'down', since: '2026-01-01T00:00:00.000Z', reason: 'no answer' } as const;
const READY: Readiness = {
  ready: true,
  firstPassDone: true,
  gatewayListening: true,
  livekit: UP,
  engine: UP,
};
const ROOM = { name: 'lobby', sid: 'RM_1', state: 'failed', reason: 'it failed', task: null };
const TASK = { key: 'r-RM_1-1', sid: 'RM_1', phase: 'running', verdict: null, standby: null };

let listener: AdminListener;
let rows: { rooms: readonly object[]; tasks: readonly object[] };
let stopAnswer: string;
let ready: Readiness;
let answer: Output | DriverError | null | (() => Output);
let said: { stdout: string; stderr: string };

beforeEach(async () => {
  rows = { rooms: [ROOM], tasks: [TASK] };
  stopAnswer = 'accepted';
  ready = READY;
  answer = null;
  said = { stdout: '', stderr: '' };
  const host = {
    ready: () => ready,
    rooms: () => rows.rooms as readonly RoomRow[],
    tasks: () => rows.tasks as readonly TaskRow[],
    stopRoom: () => Promise.resolve(stopAnswer),
    stopTask: () => Promise.resolve('unknown'),
    logs: () => {
      if (answer instanceof DriverError) return Promise.reject(answer);
      return Promise.resolve(typeof answer === 'function' ? answer() : answer);
    },
  } as unknown as AdminHost;
  const listen = { host: '127.0.0.1', port: 0 };
  listener = await createAdminListener({
    listen,
    host,
    log: new RecordedLog(),
    clock: systemClock,
  });
});
afterEach(() => listener.close());

const to = (name: 'stdout' | 'stderr') => ({ write: (part: string) => (said[name] += part) });

/** `waited` hears of each wait; all are over at once. */
function run(
  command: (options: { admin: string }, io: CommandIo) => Promise<number>,
  waited: (delayMs: number) => void = () => {},
) {
  const io = {
    env: {},
    cwd: '/',
    stdout: to('stdout'),
    stderr: to('stderr'),
    signal: new AbortController().signal,
    clock: {
      ...systemClock,
      timer: (delayMs: number, fire: () => void) =>
        systemClock.timer(0, () => {
          waited(delayMs);
          fire();
        }),
    },
  };
  return ending(io, () => command({ admin: `http://127.0.0.1:${listener.port}` }, io));
}

async function* text(...pieces: readonly string[]): Output {
  yield* pieces;
}

test('what rests on an outage says so, and that a launcher has just begun', async () => {
  ready = { ...READY, firstPassDone: false, livekit: DOWN };
  expect(await run(rooms)).toBe(0);
  expect(said.stderr).toBe(
    'room-launcher: warning: LiveKit has not answered since 2026-01-01T00:00:00.000Z: no answer; ' +
      'this is what was seen before\n' +
      'room-launcher: warning: the launcher has not looked at everything yet; ask again\n',
  );
  expect(said.stdout).toMatch(/\nlobby +failed /);
});

test('an engine that keeps no output says where it is, and a room without a task why', async () => {
  answer = new DriverError('invalid', 'it is elsewhere: look there');
  expect(await run((options, io) => logs('r-', { ...options, tail: 5 }, io))).toBe(1);
  expect(await run((options, io) => logs('lobby', { ...options, tail: 5 }, io))).toBe(1);
  expect(said).toEqual({
    stdout: '',
    stderr:
      'room-launcher: it is elsewhere: look there\n' +
      'room-launcher: room "lobby" has no task (failed: it failed)\n',
  });
});

test('output that ends before its task is no success', async () => {
  answer = text('one\n', 'two\n');
  expect(await run((options, io) => logs('r-', { ...options, tail: 5, follow: true }, io))).toBe(1);
  expect(said.stdout).toBe('one\ntwo\n');
  expect(said.stderr).toMatch(/cut the output off; r-RM_1-1 still runs\n$/);
});

test('a task that is silent for longer than `fetch` waits is followed on', async () => {
  // Five minutes, of which a test has no time: Node's own clients, with a tenth of a second.
  await fetch('data:,');
  const key = Symbol.for('undici.globalDispatcher.1');
  const clients = globalThis as unknown as Record<symbol, object>;
  const before = clients[key]!;
  const Agent = before.constructor as new (options: object) => object;
  clients[key] = new Agent({ bodyTimeout: 100 });
  const spoken = new AbortController();
  answer = async function* () {
    yield 'one\n';
    await delay(systemClock, 60_000, spoken.signal);
    yield 'two\n';
  };
  try {
    const ended = run((options, io) => logs('r-', { ...options, tail: 5, follow: true }, io));
    await waitFor('the first line', () => said.stdout === 'one\n');
    const other = await fetch(`http://127.0.0.1:${listener.port}/api/tasks/r-RM_1-1/logs`);
    await expect(other.text()).rejects.toThrow('terminated');
    spoken.abort();
    await ended;
    expect(said.stdout).toBe('one\ntwo\n');
    expect(said.stderr).toMatch(/cut the output off; r-RM_1-1 still runs\n$/);
  } finally {
    spoken.abort();
    clients[key] = before;
  }
});

test('what others wrote is shown as one line, without what moves a cursor', async () => {
  const nasty = 'x\u001b[2J\ny';
  const code = String.raw`x\u001b[2J\u000ay`;
  const ended = { phase: 'ended', exitCode: 1, verdict: 'failed', reason: nasty };
  rows = { rooms: [{ ...ROOM, reason: nasty }], tasks: [{ ...TASK, ...ended }] };
  ready = { ...READY, engine: { ...DOWN, reason: nasty } };
  answer = text('');
  await run((options, io) => logs('r-', { ...options, tail: 5, follow: true }, io));
  expect(said.stderr).toBe(
    `room-launcher: task r-RM_1-1 has ended, exit code 1; failed: ${code}\n`,
  );
  await run(rooms);
  expect(said.stderr).toContain(`2026-01-01T00:00:00.000Z: ${code}; `);
  await run((options, io) => logs('lobby', { ...options, tail: 5 }, io));
  expect(said.stderr).toContain(`has no task (failed: ${code})\n`);
  answer = new DriverError('unavailable', nasty);
  await run((options, io) => logs('r-', { ...options, tail: 5 }, io));
  expect(said.stderr).toContain(`room-launcher: ${code}\n`);
  stopAnswer = 'nothing-to-stop';
  await run((options, io) => stop('lobby', options, io));
  expect(said.stdout).toContain(`has nothing to stop: ${code}.\n`);
  expect(said.stdout + said.stderr).not.toContain('\u001b');
});

test('what is over when it is to be stopped is said', async () => {
  expect(await run((options, io) => stop('r-RM_1-1', options, io))).toBe(1);
  expect(said.stderr).toBe('room-launcher: r-RM_1-1 is over meanwhile\n');
});

const at = (state: string, phase?: string) => ({
  rooms: [{ ...ROOM, state }],
  tasks: phase === undefined ? [] : [{ ...TASK, phase }],
});

test('a room whose task still starts has not ended', async () => {
  const times = [at('launching'), at('starting'), at('ending', 'stopping'), at('served', 'ended')];
  rows = times.shift()!;
  const code = await run(
    (options, io) => stop('lobby', { ...options, wait: true }, io),
    (delayMs) => {
      if (delayMs === 500) rows = times.shift() ?? rows;
    },
  );
  expect([code, times]).toEqual([0, []]);
  expect(said.stdout).toBe(
    'Room "lobby" (RM_1): what starts for it is ended, and nothing more is launched for it ' +
      'until it is over.\nIt has ended.\n',
  );
});

test.each([
  [true, '\r\u001b[2Kwaiting\r\u001b[2K'],
  [false, ''],
])('what takes long is said on a terminal alone: %s', async (isTTY, shown) => {
  const clock = new FakeClock();
  const done = new AbortController();
  const io = { stderr: { ...to('stderr'), isTTY }, clock };
  const work = waiting(io, 'waiting', () => delay(systemClock, 60_000, done.signal));
  expect(said.stderr).toBe('');
  await clock.advance(1_000);
  done.abort();
  await work;
  expect(said.stderr).toBe(shown);
});
