import { describe, expect, it } from 'vitest';
import type { TaskKey } from '../../launcher/driver.ts';
import { type Findings, sightingOf } from '../../launcher/drivers/process/convert.ts';
import { defaultStateDir, essentialEnv } from '../../launcher/drivers/process/environment.ts';
import { driverErrorOf, refusalOf } from '../../launcher/drivers/process/errors.ts';
import { identityOf } from '../../launcher/drivers/process/identity.ts';
import { parseClaim, parseExit, parseOrder } from '../../launcher/drivers/process/records.ts';
import { parseEnvFile } from '../../launcher/lib/env-file.ts';

const failure = (code: string) => Object.assign(new Error('words'), { code });
const claim = { pid: 10, identity: 'a' };
const started = { pid: 11, identity: 'b', atMs: 2 };
const bare: Findings = {
  key: 'r-RM_1-1' as TaskKey,
  record: { id: 'r-RM_1-1.00', template: 'agent.js' },
  createdAtMs: 1,
  claim: null,
  started: null,
  stopping: false,
  exit: null,
  supervisorAlive: false,
  childAlive: false,
  lastSignMs: 5,
};
const alive = { claim, supervisorAlive: true };

describe('what is found in a folder', () => {
  it.each<[string, Partial<Findings>, string, string, number | null | undefined]>([
    ['a name alone', {}, 'starting', 'nobody-yet', undefined],
    ['a claim', alive, 'starting', 'supervisor', undefined],
    ['a started task', { ...alive, started }, 'running', 'supervisor', undefined],
    [
      'a stop under way',
      { ...alive, started, stopping: true },
      'stopping',
      'supervisor',
      undefined,
    ],
    ['an exit', { claim, started, exit: { code: 7, detail: '', atMs: 3 } }, 'ended', 'none', 7],
    ['an exit that cannot be read', { claim, started, exit: 'unreadable' }, 'ended', 'none', null],
    ['a lost supervisor', { claim, started, childAlive: true }, 'running', 'group', undefined],
    ['supervisor and task lost', { claim, started }, 'ended', 'none', null],
    ['a supervisor lost before its task began', { claim }, 'ended', 'none', null],
    ['stopped before it began', { claim: { endedWith: 143 } }, 'ended', 'none', 143],
    ['a claim of another version', { claim: 'unreadable', started }, 'running', 'none', undefined],
  ])('%s', (_what, found, phase, by, code) => {
    const { task, reach } = sightingOf({ ...bare, ...found });
    expect([task.phase, reach.by, task.exit?.code]).toEqual([phase, by, code]);
    expect(task.endedAtMs === undefined).toBe(phase !== 'ended');
  });
});

describe('a task’s environment', () => {
  it('keeps what belongs to the machine and nothing of the launcher', () => {
    const env = { PATH: '/bin', TZ: 'UTC', LIVEKIT_API_SECRET: 's', LAUNCHER_DRIVER: 'process' };
    expect(essentialEnv(env)).toEqual({ PATH: '/bin', TZ: 'UTC' });
  });

  it('reads a dotenv file and leaves out the launcher’s names', () => {
    const read = parseEnvFile('# mine\nA=1\nB="x y"\nLIVEKIT_API_SECRET=theirs\n');
    expect(read).toEqual({ env: { A: '1', B: 'x y' }, dropped: ['LIVEKIT_API_SECRET'] });
  });

  it('finds the state directory', () => {
    expect(defaultStateDir({ HOME: '/h' })).toBe('/h/.local/state/room-launcher');
    expect(defaultStateDir({ HOME: '/h', XDG_STATE_HOME: '/x' })).toBe('/x/room-launcher');
    expect(defaultStateDir({ HOME: '/h', XDG_STATE_HOME: 'x' })).toBe(
      '/h/.local/state/room-launcher',
    );
  });
});

describe('records are read with suspicion', () => {
  it.each(['', 'null', '[]', '{', '{"pid":1,"identity":"a"}', '{"pid":-5,"identity":"a"}'])(
    'no claim: %s',
    (text) => expect(parseClaim(text)).toBeNull(),
  );

  it('an exit without its code is none', () => {
    expect(parseExit('{"detail":"","atMs":1}')).toBeNull();
  });

  it('half an order is none', () => {
    expect(parseOrder('{"command":["a"],"env":{"A"')).toBeNull();
    expect(parseOrder('{"command":["a"],"env":{"A":"1"}}')).toEqual({
      command: ['a'],
      env: { A: '1' },
    });
  });
});

describe('errors and identities', () => {
  it('are told apart by code', () => {
    expect(refusalOf(failure('ENOSPC'))).toMatchObject({ reason: 'quota', retry: 'same-key' });
    expect(refusalOf(failure('EACCES'))).toMatchObject({ reason: 'denied', retry: 'never' });
    expect(refusalOf(failure('EIO'))).toBeNull();
    expect(driverErrorOf(failure('EACCES')).kind).toBe('denied');
    expect(driverErrorOf(failure('EIO')).kind).toBe('unavailable');
  });

  it('a process has one identity as long as it lives', () => {
    expect(identityOf(process.pid)).toBe(identityOf(process.pid));
    expect(identityOf(process.pid)).not.toBe(identityOf(process.ppid));
    expect(identityOf(2 ** 22 + 1)).toBeNull();
  });
});
