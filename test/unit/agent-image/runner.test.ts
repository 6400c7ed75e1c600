/** The runner's decisions, each by itself. */
import { EventEmitter, once } from 'node:events';
import { DisconnectReason, Job, JobType, RegisterWorkerResponse, Room } from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { bounded } from '../../../agent-image/bounded.ts';
import { endOfDisconnect } from '../../../agent-image/disconnect.ts';
import { Ending } from '../../../agent-image/ends.ts';
import { endOfRefusal, GatewayClient, isOurs } from '../../../agent-image/gateway-client.ts';
import { acceptArgumentsOf } from '../../../agent-image/job.ts';
import { KeptSocket, redialDelayMs } from '../../../agent-image/kept-socket.ts';
import { isTested, TESTED_AGENTS } from '../../../agent-image/load-agent.ts';
import { createLog, thrown } from '../../../agent-image/log.ts';
import { readSettings, StartError, unrunnable } from '../../../agent-image/start.ts';
import { encodeServer } from '../../../launcher/gateway/wire.ts';

const ENV = {
  LIVEKIT_URL: 'ws://gateway:8083',
  LIVEKIT_API_KEY: 'r-RM_a-1',
  LIVEKIT_API_SECRET: 'hush-hush',
};
const lines: string[] = [];
const log = createLog(
  (line) => lines.push(line),
  () => 7,
);

afterEach(() => {
  vi.useRealTimers();
  lines.length = 0;
});

describe('settings', () => {
  test('come from one operand and three variables', () => {
    expect(readSettings(['a.js'], ENV)).toEqual({
      agentFile: 'a.js',
      gatewayUrl: 'ws://gateway:8083',
      taskKey: 'r-RM_a-1',
      taskSecret: 'hush-hush',
      agentName: '',
      logLevel: 'info',
    });
    const named = { ...ENV, LIVEKIT_AGENT_NAME: 'a', LIVEKIT_AGENT_NAME_OVERRIDE: 'b' };
    expect(readSettings(['a.js'], named).agentName).toBe('b');
  });

  test.for([
    [[], ENV, 'No agent file given'],
    [['a.js', 'start'], ENV, 'Unexpected operand "start"'],
    [['a.js'], { ...ENV, LIVEKIT_URL: undefined }, 'LIVEKIT_URL is not set'],
    [['a.js'], { ...ENV, LIVEKIT_URL: 'gateway' }, 'LIVEKIT_URL is "gateway"'],
    [['a.js'], { ...ENV, LIVEKIT_URL: 'ftp://gateway' }, 'LIVEKIT_URL is "ftp://gateway"'],
    [['a.js'], { ...ENV, LIVEKIT_API_KEY: '' }, 'LIVEKIT_API_KEY is not set'],
    [['a.js'], { ...ENV, LOG_LEVEL: 'loud' }, 'LOG_LEVEL is "loud"'],
  ] as const)('%j: %3$s', ([operands, env, said]) => {
    expect(() => readSettings(operands, env)).toThrow(StartError);
    expect(() => readSettings(operands, env)).toThrow(said);
  });

  test('TypeScript runs only where Node can run it', () => {
    expect(unrunnable('agent.ts', false)).toContain('compile it first');
    expect(unrunnable('agent.mts', false)).not.toBeNull();
    expect(unrunnable('agent.ts', true)).toBeNull();
    expect(unrunnable('agent.mjs', false)).toBeNull();
  });
});

describe('ends', () => {
  const codes: Record<string, number> = {
    ROOM_CLOSED: 0,
    ROOM_DELETED: 0,
    PARTICIPANT_REMOVED: 0,
    CLIENT_INITIATED: 0,
    DUPLICATE_IDENTITY: 76,
  };
  const reasons = Object.values(DisconnectReason).filter((value) => typeof value === 'number');
  test.for(reasons)('disconnect reason %i', (reason) => {
    expect(endOfDisconnect(reason).code).toBe(codes[DisconnectReason[reason] ?? ''] ?? 75);
  });
  test('a disconnect reason of the future', () => {
    expect(endOfDisconnect(999)).toEqual({ code: 75, reason: 'room lost: 999' });
  });

  test('the first one wins', async () => {
    const ending = new Ending();
    expect(ending.decided).toBe(false);
    expect(ending.end({ code: 0, reason: 'first' })).toBe(true);
    expect(ending.end({ code: 1, reason: 'second' })).toBe(false);
    expect(await ending.reached).toEqual({ code: 0, reason: 'first' });
  });

  test.for([
    [410, 0],
    [401, 75],
    [409, undefined],
    [503, undefined],
    [404, undefined],
  ] as const)('refused by %i before the job: %s', ([status, code]) => {
    expect(endOfRefusal(status)?.code).toBe(code);
  });
});

describe('gateway', () => {
  test('takes its own job alone', () => {
    const own = { id: 'AJ_r-RM_a-1', type: JobType.JT_ROOM, room: new Room({ sid: 'RM_a' }) };
    const judge = (fields: object) => isOurs(new Job({ ...own, ...fields }), 'r-RM_a-1');
    expect(judge({})).toBe(true);
    expect(judge({ id: 'AJ_r-RM_a-2' })).toBe(false);
    expect(judge({ type: JobType.JT_PUBLISHER })).toBe(false);
    expect(judge({ room: new Room() })).toBe(false);
    expect(isOurs(undefined, 'r-RM_a-1')).toBe(false);
  });

  test('dials again at most five seconds apart, never at once', () => {
    expect(redialDelayMs(1, 1)).toBe(500);
    expect(redialDelayMs(1, 0)).toBe(250);
    expect(redialDelayMs(4, 1)).toBe(4_000);
    for (const tries of [5, 100, 100_000]) expect(redialDelayMs(tries, 1)).toBe(5_000);
  });

  test('gives up after ten minutes without a job', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ends: number[] = [];
    const nobody = { ...readSettings(['a.js'], ENV), gatewayUrl: 'ws://127.0.0.1:1' };
    const client = new GatewayClient(nobody, '1.9.0', log, {
      registered() {},
      assigned() {},
      end: ({ code }) => ends.push(code),
    });
    vi.advanceTimersByTime(599_999);
    expect(ends).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(ends).toEqual([75]);
    await client.close();
  });

  test('a gateway that accepts and hangs up is none', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    server.on('connection', (line) => line.close());
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ends: number[] = [];
    const gatewayUrl = `ws://127.0.0.1:${address.port}`;
    const settings = { ...readSettings(['a.js'], ENV), gatewayUrl };
    const client = new GatewayClient(settings, '1.9.0', log, {
      registered() {},
      assigned() {},
      end: ({ code }) => ends.push(code),
    });
    try {
      vi.advanceTimersByTime(599_999);
      const [line] = await once(server, 'connection');
      await once(line, 'close');
      await vi.waitFor(() => expect(server.clients.size).toBe(0));
      vi.advanceTimersByTime(1);
      expect(ends).toEqual([75]);
    } finally {
      await client.close();
      server.close();
    }
  });

  test('a standby waits for its room for as long as it has a gateway', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    server.on('connection', (line) => {
      const value = new RegisterWorkerResponse({ workerId: 'AW_1' });
      line.on('message', () => line.send(encodeServer({ case: 'register', value })));
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const ends: number[] = [];
    const registered = new EventEmitter();
    const settings = {
      ...readSettings(['a.js'], ENV),
      gatewayUrl: `ws://127.0.0.1:${address.port}`,
    };
    const client = new GatewayClient(settings, '1.9.0', log, {
      registered: () => registered.emit('registered'),
      assigned() {},
      end: ({ code }) => ends.push(code),
    });
    try {
      await once(registered, 'registered');
      vi.advanceTimersByTime(3_600_000);
      expect(ends).toEqual([]);
      server.close();
      const hungUp = [...server.clients].map((line) => once(line, 'close'));
      for (const line of server.clients) line.close();
      await Promise.all(hungUp);
      await vi.waitFor(() => expect(vi.getTimerCount()).toBeGreaterThan(0));
      vi.advanceTimersByTime(600_000);
      expect(ends).toEqual([75]);
    } finally {
      await client.close();
      for (const line of server.clients) line.terminate();
      server.close();
    }
  });

  test('a socket that has gone silent is replaced', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', autoPong: false });
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    const opened = new EventEmitter();
    const socket = new KeptSocket(`ws://127.0.0.1:${address.port}`, log, {
      headers: async () => ({}),
      open: () => opened.emit('open'),
      closed() {},
      frame() {},
      refused() {},
    });
    try {
      await once(opened, 'open');
      const again = once(opened, 'open');
      vi.advanceTimersByTime(10_000);
      expect(server.clients.size).toBe(1);
      vi.advanceTimersByTime(10_000);
      await again;
    } finally {
      await socket.close();
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });
});

test('accept arguments are those of the token', async () => {
  const attributes = { 'lk.agent.name': 'tester' };
  const token = new AccessToken('key', 'secret', { identity: 'agent-RM_ä', attributes });
  token.addGrant({ roomJoin: true, room: 'room' });
  const accepted = acceptArgumentsOf(await token.toJwt());
  expect(accepted).toEqual({ identity: 'agent-RM_ä', name: '', metadata: '', attributes });
});

test('only the tested minor release of agents-js goes without a warning', () => {
  expect(isTested(`${TESTED_AGENTS}.7`)).toBe(true);
  expect(isTested(`${TESTED_AGENTS}0.0`)).toBe(false);
  expect(isTested('2.0.0')).toBe(false);
});

test('bounded waits no longer than its limit and never rejects', async () => {
  expect(await bounded('quick', 1_000, log, () => {})).toBe(true);
  expect(await bounded('broken', 1_000, log, () => JSON.parse('{'))).toBe(false);
  vi.useFakeTimers();
  const slow = bounded('slow', 1_000, log, () => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await slow).toBe(false);
  expect(lines.map((line): unknown => JSON.parse(line).msg)).toEqual([
    'broken failed',
    'slow took longer than its limit',
  ]);
});

test('log lines are JSON with the stack of what was thrown', () => {
  log.error('went wrong', thrown(new Error('no', { cause: new Error('why') })));
  const { level, time, msg, error, stack, cause } = JSON.parse(lines[0] ?? '');
  expect({ level, time, msg, error }).toEqual({
    level: 50,
    time: 7,
    msg: 'went wrong',
    error: 'no',
  });
  expect(stack).toContain('runner.test.ts');
  expect(cause).toContain('why');
});
