/** Profiles in the YAML file: what they become, and what is said about wrong ones, line included. */
import { describe, expect, it, test } from 'vitest';
import {
  checkConfig,
  type Config,
  type ConfigSources,
  parseConfig,
} from '../../launcher/config.ts';
import { readYamlFile } from '../../launcher/config/yaml-file.ts';
import type { Profile } from '../../launcher/core/desired.ts';

const SERVER = {
  LIVEKIT_URL: 'wss://livekit.example.com',
  LIVEKIT_API_KEY: 'APIkey',
  LIVEKIT_API_SECRET: 'an-api-secret-of-thirty-six-letters!',
};
const PROCESS = { LAUNCHER_DRIVER: 'process' };
type Env = Readonly<Record<string, string>>;

function sources(text: string, env: Env = {}): ConfigSources {
  const file = readYamlFile('launcher.yaml', () => text);
  if ('error' in file) throw new Error(file.error);
  return {
    env: { ...SERVER, ...env },
    file: file.content,
    lineOf: file.lineOf,
    baseDir: '/base',
    defaultAgentFile: '/app/agent.js',
    isReadableFile: (path) => !path.includes('missing'),
    readSecretFile: () => '',
  };
}

function accepted(text: string, env?: Env): Config {
  const parsed = parseConfig(sources(text, env));
  if ('errors' in parsed) throw new Error(parsed.errors.join('\n'));
  return parsed.config;
}

function errorsOf(text: string, env?: Env): readonly string[] {
  const parsed = parseConfig(sources(text, env));
  return 'errors' in parsed ? parsed.errors : [];
}

function names(text: string, env?: Env): string[] {
  return accepted(text, env).profiles.list.map(({ name }) => name);
}

const ONE = 'profiles:\n  - name: a\n    image: a:1\n';

test('every key arrives, in its unit', () => {
  const text = `
profiles:
  - name: support
    match:
      room: support-*
      metadata: { tier: gold, level: 2, beta: true, note: null }
    image: agents/support:1
    cpu: 1.5
    memoryMiB: 2048
    env: { MODE: calm, EMPTY: "" }
    envFile: support.env
    agentName: support agent
    standby: 0
    retries: 1
    startDeadlineSeconds: 2
    joinDeadlineSeconds: 3
    maxLifetimeSeconds: 4
    shutdownTimeoutSeconds: 5
    restart: on-failure
    user: 10001:10001
    readOnly: false
    tmpfs: { /cache: "size=1g,mode=1777" }
    runtime: runsc
    launch: true
  - name: once
    image: agents/once
    restart: never
  - name: skip
    launch: false
    match: { room: 'test-*' }
`;
  const { profiles } = accepted(text, { LAUNCHER_RETRIES: '9' });
  const size = { cpu: 1, memoryMiB: 1024 };
  const limits = {
    startDeadlineMs: 600_000,
    joinDeadlineMs: 60_000,
    maxLifetimeMs: 86_400_000,
    shutdownTimeoutMs: 60_000,
  };
  const support: Profile = {
    name: 'support',
    match: {
      room: 'support-*',
      metadata: { tier: 'gold', level: 2, beta: true, note: null },
    },
    template: 'agents/support:1',
    cpu: 1.5,
    memoryMiB: 2048,
    env: { MODE: 'calm', EMPTY: '' },
    envFile: '/base/support.env',
    agentName: 'support agent',
    standby: 0,
    retries: 1,
    startDeadlineMs: 2_000,
    joinDeadlineMs: 3_000,
    maxLifetimeMs: 4_000,
    shutdownTimeoutMs: 5_000,
    options: {
      user: '10001:10001',
      readOnly: false,
      tmpfs: { '/cache': 'size=1g,mode=1777' },
      runtime: 'runsc',
    },
  };
  const once = { name: 'once', template: 'agents/once', ...size, ...limits, retries: 0 };
  const match = { room: 'test-*' };
  const skip = { name: 'skip', match, template: '', launch: false, ...size, ...limits, retries: 9 };
  expect(profiles.list).toEqual([support, once, skip]);
  expect(profiles.unmatched).toEqual({ ...skip, name: '', match: undefined });
});

describe("the environment's own profile", () => {
  it('comes last, and only where the environment says what it runs', () => {
    expect(names(ONE)).toEqual(['a']);
    expect(names(ONE, { LAUNCHER_AGENT_IMAGE: 'b:1' })).toEqual(['a', 'default']);
    expect(names('profiles: []', { LAUNCHER_AGENT_IMAGE: 'b:1' })).toEqual(['default']);
    expect(names('profiles:', PROCESS)).toEqual(['default']);
    const file = 'profiles: [{ name: a, agentFile: a.js }]';
    expect(names(file, PROCESS)).toEqual(['a']);
    expect(names(file, { ...PROCESS, LAUNCHER_AGENT_FILE: 'b.js' })).toEqual(['a', 'default']);
    expect(accepted(file, PROCESS).profiles.list[0]?.template).toBe('/base/a.js');
  });

  it('is needed where the file has none', () => {
    expect(errorsOf('profiles: []')).toEqual([
      expect.stringContaining('LAUNCHER_AGENT_IMAGE is not set'),
    ]);
  });

  it('leaves its name to a profile of the file where it is not there', () => {
    expect(names('profiles: [{ name: default, image: a:1 }]')).toEqual(['default']);
  });
});

const FILE = 'the file of LAUNCHER_CONFIG';
/** A second profile's lines, from line 4 on, and the one error line about it. */
const BAD: readonly [title: string, lines: string, error: string][] = [
  [
    'unknown key',
    'name: b\n    image: b:1\n    memoryMib: 1',
    `profiles[1].memoryMib in line 6 of ${FILE} is no key of a profile; did you mean memoryMiB?`,
  ],
  [
    'unknown key, far from any',
    'name: b\n    image: b:1\n    frobnicate: 1',
    `profiles[1].frobnicate in line 6 of ${FILE} is no key of a profile; remove it; known keys are name`,
  ],
  [
    'unknown key of match',
    'name: b\n    image: b:1\n    match:\n      rooms: x\n      room: y',
    `profiles[1].match.rooms in line 7 of ${FILE} is no key of a profile; did you mean room?`,
  ],
  [
    'no name',
    'image: b:1',
    `profiles[1] in line 4 of ${FILE} has no name: give it one, 1 to 24 of`,
  ],
  [
    'name',
    'name: B\n    image: b',
    `profiles[1].name in line 4 of ${FILE} is "B", but must be 1 to`,
  ],
  [
    'name twice',
    'name: a\n    image: b:1',
    `profiles[1].name in line 4 of ${FILE} is "a", as profiles[0] is called too; give each`,
  ],
  [
    'no image',
    'name: b',
    `profiles[1] in line 4 of ${FILE}: it has no image, which LAUNCHER_DRIVER docker launches: give`,
  ],
  [
    'key of the other driver',
    'name: b\n    image: b:1\n    agentFile: a.js',
    `profiles[1].agentFile in line 6 of ${FILE}: it is for LAUNCHER_DRIVER=process; set that, or`,
  ],
  [
    'ECS',
    'name: b\n    image: b\n    taskDefinition: x:1',
    `profiles[1].taskDefinition in line 6 of ${FILE}: it is for LAUNCHER_DRIVER=ecs; set that, or`,
  ],
  [
    'ECS runner',
    'name: b\n    image: b\n    runner: true',
    `profiles[1].runner in line 6 of ${FILE}: it is for LAUNCHER_DRIVER=ecs; set that, or`,
  ],
  [
    'cpu',
    'name: b\n    image: b\n    cpu: 0',
    `profiles[1].cpu in line 6 of ${FILE} is "0", but must`,
  ],
  [
    'cpu',
    'name: b\n    image: b\n    cpu: 1e3',
    `cpu in line 6 of ${FILE} is "1000", but must be a`,
  ],
  ['memory', 'name: b\n    image: b\n    memoryMiB: 1g', 'a whole number from 32 to 1048576'],
  [
    'retries',
    'name: b\n    image: b\n    retries: -1',
    'is "-1", but must be a whole number from 0',
  ],
  ['empty key', 'name: b\n    image: b\n    retries:', 'is empty, but must be a whole number from'],
  [
    'deadline',
    'name: b\n    image: b\n    joinDeadlineSeconds: 0',
    'a whole number from 1 to 86400',
  ],
  ['restart', 'name: b\n    image: b\n    restart: always', 'must be on-failure or never'],
  [
    'retries of a profile that is never restarted',
    'name: b\n    image: b\n    restart: never\n    retries: 1',
    `profiles[1].retries in line 7 of ${FILE}: restart: never forbids retries; remove one`,
  ],
  [
    'standby',
    'name: b\n    image: b\n    standby: 101',
    `profiles[1].standby in line 6 of ${FILE} is "101", but must be`,
  ],
  [
    'standby of what is not launched',
    'name: b\n    launch: false\n    standby: 2',
    `profiles[1].standby in line 6 of ${FILE}: launch: false forbids standbys; remove one`,
  ],
  [
    'launch',
    'name: b\n    launch: no',
    `profiles[1].launch in line 5 of ${FILE} is "no", but must be`,
  ],
  ['match', 'name: b\n    image: b\n    match: {}', `match in line 6 of ${FILE}: it holds nothing`],
  [
    'match as text',
    'name: b\n    image: b\n    match: x-*',
    'is "x-*", but must be a group of keys',
  ],
  ['empty glob', 'name: b\n    image: b\n    match: { room: "" }', 'must be a glob over the name'],
  [
    'metadata',
    'name: b\n    image: b\n    match:\n      metadata:\n        tier: [topsecret]',
    `profiles[1].match.metadata.tier in line 8 of ${FILE} must be a text, a number, true, false or`,
  ],
  [
    'number in env',
    'name: b\n    image: b\n    env:\n      PIN: 12345678',
    `profiles[1].env.PIN in line 7 of ${FILE} must be a text; put it in quotes`,
  ],
  [
    'credential in env',
    'name: b\n    image: b\n    env:\n      LIVEKIT_API_SECRET: topsecret',
    `env.LIVEKIT_API_SECRET in line 7 of ${FILE}: the launcher sets it for each task; remove it`,
  ],
  [
    "the launcher's own in env",
    'name: b\n    image: b\n    env: { LAUNCHER_RETRIES: "1" }',
    `profiles[1].env.LAUNCHER_RETRIES in line 6 of ${FILE}: names that begin with LAUNCHER_ are`,
  ],
  [
    'label in env',
    'name: b\n    image: b\n    env: { room-launcher.key: topsecret }',
    `profiles[1].env.room-launcher.key in line 6 of ${FILE}: a name has letters, digits and _`,
  ],
  [
    'agent name in env',
    'name: b\n    image: b\n    env: { LIVEKIT_AGENT_NAME_OVERRIDE: x }',
    'use agentName instead',
  ],
  [
    'agentName',
    'name: b\n    image: b\n    agentName: "a\\nb"',
    'none of them a control character',
  ],
  [
    'env file',
    'name: b\n    image: b\n    envFile: missing.env',
    `profiles[1].envFile in line 6 of ${FILE} is "missing.env": there is no file /base/missing.env`,
  ],
  [
    'user',
    'name: b\n    image: b\n    user: "a b"',
    'is "a b", but must be a name or number, or user',
  ],
  [
    'tmpfs path',
    'name: b\n    image: b\n    tmpfs: { cache: "" }',
    'must be an absolute path below /',
  ],
  [
    'tmpfs up',
    'name: b\n    image: b\n    tmpfs: { /a/../..: "" }',
    'must be an absolute path below',
  ],
  ['tmpfs options', 'name: b\n    image: b\n    tmpfs: { /a: "x y" }', 'must be mount options'],
  ['tmpfs list', 'name: b\n    image: b\n    tmpfs: [/a]', 'must be a group of paths with mount'],
  [
    'no group',
    'just a text',
    `profiles[1] in line 4 of ${FILE} is "just a text", but must be a group`,
  ],
];

test.each(BAD)('a bad profile: %s (%#)', (_title, lines, error) => {
  const [line, ...others] = errorsOf(`${ONE}  - ${lines}\n`);
  expect(others).toEqual([]);
  expect(line).toContain(error);
  expect(line).not.toMatch(/topsecret|12345678/);
});

test.each<[string, Env, string]>([
  ['profiles: all', {}, `profiles in line 1 of ${FILE} must be a list of profiles`],
  [
    'profiles: [{ name: default, image: a }]',
    { LAUNCHER_AGENT_IMAGE: 'b' },
    `is "default": the environment's own profile is called that too`,
  ],
  [
    'profiles: [{ name: a, image: a }]',
    { LAUNCHER_AGENT_ENV_FILE: 'x.env' },
    `LAUNCHER_AGENT_ENV_FILE is "x.env": it is for the environment's own profile, and there is none`,
  ],
  [
    'profiles: [{ name: a, agentFile: missing.js }]',
    PROCESS,
    'is "missing.js": there is no file /base/missing.js that can be read',
  ],
  ['profiles: [{ name: a, agentFile: a, readOnly: true }]', PROCESS, 'LAUNCHER_DRIVER=docker'],
  ['profiles: [{ name: a }]', PROCESS, 'it has no agentFile, which LAUNCHER_DRIVER process'],
  // What goes with an unknown driver cannot be told.
  ['profiles: [{ name: a }]', { LAUNCHER_DRIVER: 'x' }, 'LAUNCHER_DRIVER is "x"'],
])('%s with %j is refused', (text, env, error) => {
  expect(errorsOf(text, env)).toEqual([expect.stringContaining(error)]);
});

test('all profiles are gone through', () => {
  const text = 'profiles:\n- name: A\n  cpu: x\n- image: y\n  match: { rom: x }\n';
  expect(errorsOf(text).map((line) => / line \d+ /.exec(line)?.[0])).toEqual([
    ' line 2 ',
    ' line 3 ',
    ' line 4 ',
    ' line 5 ',
  ]);
});

test('what an alias stands for is named where it is written', () => {
  const text = 'profiles:\n- &one\n  name: a\n  image: b:1\n  cpu: x\n- *one\n';
  const lines = errorsOf(text).map((line) => line.replace(/ is .*/, ''));
  expect(lines).toEqual([
    `profiles[0].cpu in line 5 of ${FILE}`,
    `profiles[1].cpu in line 5 of ${FILE}`,
  ]);
});

test('a file can be checked where the LiveKit server is not known', () => {
  const none = { LIVEKIT_URL: '', LIVEKIT_API_KEY: '', LIVEKIT_API_SECRET: '' };
  expect(checkConfig(sources(ONE, none))).toMatchObject({ engine: { driver: 'docker' } });
  expect(checkConfig(sources(ONE, { ...none, LIVEKIT_URL: 'x' }))).toEqual({
    errors: [expect.stringContaining('LIVEKIT_URL is "x"')],
  });
  expect(errorsOf(ONE, none)).toHaveLength(3);
});
