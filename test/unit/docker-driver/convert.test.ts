import { describe, expect, it } from 'vitest';
import type { LaunchRequest, TaskKey } from '../../../launcher/driver.ts';
import { connectionOf, addressText } from '../../../launcher/drivers/docker/connection.ts';
import { apiVersion } from '../../../launcher/drivers/docker/calls.ts';
import { type Inspection, isHalfDone, taskOf } from '../../../launcher/drivers/docker/convert.ts';
import { labelsOf } from '../../../launcher/drivers/docker/labels.ts';
import { containerSpec } from '../../../launcher/drivers/docker/spec.ts';

const KEY = 'r-RM_abcd-2' as TaskKey;
const NEVER = '0001-01-01T00:00:00Z';
const CREATED_MS = Date.parse('2026-01-02T03:04:05.678Z');

function seen(state: Partial<Inspection['State']> = {}, rest: Partial<Inspection> = {}) {
  const State = {
    Status: 'running',
    ExitCode: 0,
    OOMKilled: false,
    Error: '',
    StartedAt: '2026-01-02T03:04:06.000000001Z',
    FinishedAt: NEVER,
    ...state,
  };
  return {
    Id: 'a'.repeat(64),
    Name: `/ours.${KEY}`,
    Created: '2026-01-02T03:04:05.678901234Z',
    Config: { Image: 'agent:1', Labels: labelsOf('ours', KEY, 'default') },
    State,
    ...rest,
  };
}

describe('a container as a task', () => {
  it.each([
    ['created', false, 'starting'],
    ['running', false, 'running'],
    ['running', true, 'stopping'],
    ['paused', false, 'running'],
    ['restarting', false, 'running'],
    ['a word of a later engine', false, 'running'],
    ['exited', true, 'ended'],
    ['dead', false, 'ended'],
    ['removing', false, 'ended'],
  ])('%s, stop under way: %s, reads as %s', (Status, stopping, phase) => {
    expect(taskOf(seen({ Status }), 'ours', stopping).phase).toBe(phase);
  });

  it('shows what it is', () => {
    expect(taskOf(seen(), 'ours', false)).toEqual({
      taskId: 'a'.repeat(64),
      key: KEY,
      phase: 'running',
      template: 'agent:1',
      runner: false,
      createdAtMs: CREATED_MS,
      startedAtMs: CREATED_MS + 322,
    });
  });

  it('one whose start failed has ended, with the engine’s words', () => {
    const failed = seen({
      Status: 'created',
      ExitCode: 128,
      Error: 'no\n  such network',
      StartedAt: NEVER,
    });
    expect(isHalfDone(failed)).toBe(false);
    expect(taskOf(failed, 'ours', false)).toMatchObject({
      phase: 'ended',
      endedAtMs: CREATED_MS,
      exit: { code: 128, oomKilled: false, detail: 'no such network' },
    });
    expect(taskOf(failed, 'ours', false).startedAtMs).toBeUndefined();
  });

  it.each([
    [137, true, true, /memory/],
    [137, false, false, /^its log: docker logs ours\.r-\S+$/],
    // A child of it ran out of memory, and it went on.
    [0, true, false, /^$/],
    [1, true, true, /memory/],
    [127, false, false, /architecture/],
  ])('exit %i, OOM flag %s', (ExitCode, OOMKilled, oomKilled, detail) => {
    const state = { Status: 'exited', ExitCode, OOMKilled, FinishedAt: '2026-01-02T03:05:00Z' };
    const task = taskOf(seen(state), 'ours', false);
    expect(task.endedAtMs).toBe(Date.parse('2026-01-02T03:05:00Z'));
    expect(task.exit).toEqual({ code: ExitCode, oomKilled, detail: expect.stringMatching(detail) });
  });

  it('knows our runner by its image’s label', () => {
    const Labels = { ...labelsOf('ours', KEY, 'default'), 'room-launcher.runner': '1' };
    const task = taskOf(seen({}, { Config: { Image: 'agent:1', Labels } }), 'ours', false);
    expect(task.runner).toBe(true);
  });

  it.each<[string, Partial<Inspection>]>([
    ['no labels', { Config: { Image: 'agent:1', Labels: null } }],
    ['no key', { Config: { Image: 'agent:1', Labels: { 'room-launcher.deployment': 'ours' } } }],
    ['another name', { Name: '/renamed' }],
    ['theirs', { Config: { Image: 'agent:1', Labels: labelsOf('theirs', KEY, 'default') } }],
  ])('%s: it has no key', (_why, rest) => {
    expect(taskOf(seen({}, rest), 'ours', false).key).toBeNull();
  });
});

describe('a task as a container', () => {
  const request: LaunchRequest = {
    key: KEY,
    template: 'agent:1',
    cpu: 0.5,
    memoryMiB: 100,
    profile: 'support',
    env: { SHARED: 'from the request', LIVEKIT_URL: 'ws://gateway' },
  };
  const around = {
    deployment: 'ours',
    network: 'net',
    hostAlias: true,
    logDriver: 'json-file',
    variables: { SHARED: 'from the file', OPENAI_API_KEY: 'a=b' },
  };

  it('is limited and hardened', () => {
    expect(containerSpec(request, around).HostConfig).toMatchObject({
      NanoCpus: 500_000_000,
      Memory: 104_857_600,
      MemorySwap: 104_857_600,
      PidsLimit: 1024,
      Init: true,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
      ExtraHosts: ['host.docker.internal:host-gateway'],
    });
  });

  it('is labelled for people and for us, and keeps the image’s user', () => {
    const spec = containerSpec(request, around);
    expect(spec.Labels).toEqual({
      'room-launcher.deployment': 'ours',
      'room-launcher.key': KEY,
      'room-launcher.profile': 'support',
      'room-launcher.room': 'RM_abcd',
      'room-launcher.attempt': '2',
    });
    expect(spec).not.toHaveProperty('User');
    const standby = labelsOf('ours', 's-default-1-12345678' as TaskKey, 'default');
    expect(Object.keys(standby)).toHaveLength(3);
  });

  it('gets the file’s variables, and over them the request’s', () => {
    const env = containerSpec(request, around).Env;
    const wanted = ['LIVEKIT_URL=ws://gateway', 'OPENAI_API_KEY=a=b', 'SHARED=from the request'];
    expect(env?.toSorted()).toEqual(wanted);
  });

  it('leaves a log driver that somebody chose alone, and takes what it is told', () => {
    const tmpfs = { '/cache': 'size=1g' };
    const options = { user: '5', readOnly: false, tmpfs, runtime: 'runsc' };
    const journald = { ...around, logDriver: 'journald', hostAlias: false };
    const { User, HostConfig } = containerSpec({ ...request, options }, journald);
    expect(User).toBe('5');
    expect(HostConfig).toMatchObject({
      ReadonlyRootfs: false,
      Tmpfs: { '/tmp': expect.stringContaining('noexec'), '/cache': 'size=1g' },
      Runtime: 'runsc',
    });
    expect(HostConfig).not.toHaveProperty('LogConfig');
    expect(HostConfig).not.toHaveProperty('ExtraHosts');
  });
});

describe('the engine’s address', () => {
  it.each([
    [{}, 'unix:///var/run/docker.sock'],
    [{ host: '' }, 'unix:///var/run/docker.sock'],
    [{ host: 'unix:///run/user/1000/docker.sock' }, 'unix:///run/user/1000/docker.sock'],
    [{ host: 'tcp://engine.test:1234' }, 'http://engine.test:1234'],
    [{ host: 'tcp://engine.test' }, 'http://engine.test:2375'],
    [{ host: 'tcp://engine.test', tls: true }, 'https://engine.test:2376'],
    [{ host: 'tcp://[::1]:1' }, 'http://[::1]:1'],
  ])('%j is %s', (address, text) => {
    expect(addressText(connectionOf(address))).toBe(text);
  });

  it.each(['ssh://machine', 'docker.sock', '/var/run/docker.sock', 'tcp://', 'unix://'])(
    '%s is refused by name',
    (host) => {
      expect(() => connectionOf({ host })).toThrow(/DOCKER_HOST is ".*": allowed is/);
    },
  );

  it('certificates that are not there are named', () => {
    const address = { host: 'tcp://engine.test', certPath: '/no/such/folder' };
    expect(() => connectionOf(address)).toThrow(/DOCKER_CERT_PATH is "\/no\/such\/folder"/);
  });

  it.each([
    ['1.40', '1.12', null],
    ['1.41', '1.12', '1.41'],
    ['1.47', '1.24', '1.41'],
    ['1.52', '1.44', '1.44'],
  ])('an engine of API %s, %s at least, is spoken to in %s', (ApiVersion, MinAPIVersion, ours) => {
    expect(apiVersion({ ApiVersion, MinAPIVersion })).toBe(ours);
  });
});
