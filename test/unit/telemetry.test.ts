import { expect, test } from 'vitest';
import { systemClock } from '../../launcher/lib/clock.ts';
import type { Told } from '../../launcher/lib/log.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { createLog, type LogLevel } from '../../launcher/telemetry/log.ts';

function recorded(level: LogLevel = 'debug', secrets: readonly string[] = []) {
  const written: string[] = [];
  const log = createLog({
    level,
    redact: secrets.map((text) => new Secret(text)),
    clock: systemClock,
    destination: { write: (line) => void written.push(line) },
  });
  const lines = (): Record<string, unknown>[] => written.map((line) => JSON.parse(line));
  return { log, lines };
}

test('a line is JSON with an ISO time, level and message', () => {
  const { log, lines } = recorded();
  log.info('started', { port: 8080, note: undefined });
  const [line] = lines();
  expect(line).toEqual({ level: 'info', time: expect.any(String), port: 8080, msg: 'started' });
  expect(new Date(String(line?.['time'])).toISOString()).toBe(line?.['time']);
});

test('an event is one line that carries its name, whatever its fields say', () => {
  const { log, lines } = recorded();
  log.event('task.end', { exit_code: 0, event: 'other' });
  log.event('webhook.receive', { status: 401 }, 'warn');
  expect(lines()).toMatchObject([
    { level: 'info', event: 'task.end', exit_code: 0 },
    { level: 'warn', event: 'webhook.receive', status: 401 },
  ]);
  expect(lines()[0]).not.toHaveProperty('msg');
});

test.each<[LogLevel, string[]]>([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['silent', []],
])('level %s writes %o', (level, expected) => {
  const { log, lines } = recorded(level);
  log.debug('x');
  log.info('x');
  log.warn('x');
  log.error('x');
  expect(lines().map((line) => line['level'])).toEqual(expected);
});

test('a secret is masked in messages and fields, also with characters that mean something', () => {
  const { log, lines } = recorded('info', ['s3cr+t.(value)', 's3cr+t.(value)-and-more', '']);
  log.warn('refused s3cr+t.(value)-and-more', { reason: 'twice s3cr+t.(value) s3cr+t.(value)' });
  expect(lines()).toMatchObject([{ msg: 'refused [secret]', reason: 'twice [secret] [secret]' }]);
});

test('a short secret does not spoil the line', () => {
  const { log, lines } = recorded('info', ['secret', '"', 'level']);
  log.info('a secret "level"', { status: 200 });
  expect(lines()).toMatchObject([{ level: 'info', status: 200 }]);
});

test('signed tokens are masked by their form', () => {
  const { log, lines } = recorded();
  log.info('token eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJrIn0.c2lnbmF0dXJl-_x end');
  expect(lines()).toMatchObject([{ msg: 'token [secret] end' }]);
});

test.each(['token', 'secret', 'api_secret', 'room_token', 'Authorization', 'password'])(
  'a field named %s is masked whatever it holds',
  (name) => {
    const { log, lines } = recorded();
    log.info('x', { [name]: 'plain', tokens: 3 });
    expect(lines()).toMatchObject([{ [name]: '[secret]', tokens: 3 }]);
  },
);

test('a line that cannot be written breaks nothing', () => {
  const log = createLog({
    level: 'info',
    redact: [],
    clock: systemClock,
    destination: {
      write() {
        throw new Error('disk full');
      },
    },
  });
  expect(() => log.info('x')).not.toThrow();
  expect(() => log.event('pass.run', {})).not.toThrow();
});

test('listeners hear of every event, without secrets, and one that throws keeps none from it', () => {
  const told: Told[] = [];
  const log = createLog({
    level: 'silent',
    redact: [new Secret('s3cret')],
    clock: { ...systemClock, nowMs: () => 7 },
    listeners: [
      () => {
        throw new Error('a broken listener');
      },
      (one) => void told.push(one),
    ],
  });
  log.event('task.end', { reason: 'it said s3cret', code: 1 }, 'warn');
  log.event('pass.run', {}, 'debug');
  expect(told).toEqual([
    {
      atMs: 7,
      event: 'task.end',
      level: 'warn',
      fields: { reason: 'it said [secret]', code: 1 },
    },
    { atMs: 7, event: 'pass.run', level: 'debug', fields: {} },
  ]);
});

test('all listeners hear the same of an event, also while time goes on', () => {
  const heard: Told[] = [];
  let nowMs = 0;
  const log = createLog({
    level: 'silent',
    redact: [],
    clock: { ...systemClock, nowMs: () => (nowMs += 1) },
    listeners: [(one) => void heard.push(one), (one) => void heard.push(one)],
  });
  log.event('task.register', { task: 'r-RM_a-1' });
  expect(heard.map(({ atMs }) => atMs)).toEqual([1, 1]);
});
