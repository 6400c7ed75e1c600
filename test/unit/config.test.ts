import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  type Config,
  type ConfigSources,
  describeConfig,
  gatewayUrlOf,
  parseConfig,
} from '../../launcher/config.ts';

const API_SECRET = 'an-api-secret-of-thirty-six-letters!';
const REQUIRED = {
  LIVEKIT_URL: 'wss://livekit.example.com',
  LIVEKIT_API_KEY: 'APIkey',
  LIVEKIT_API_SECRET: API_SECRET,
  LAUNCHER_AGENT_IMAGE: 'agents/mine:1',
};
/** What the process driver needs instead: nothing. */
const PROCESS = { LAUNCHER_DRIVER: 'process', LAUNCHER_AGENT_IMAGE: undefined };

interface Given {
  readonly env?: Record<string, string | undefined>;
  readonly file?: unknown;
  readonly files?: Record<string, string>;
}

function sources({ env, file, files = {} }: Given): ConfigSources {
  return {
    env: { ...REQUIRED, ...env },
    file,
    baseDir: '/base',
    defaultAgentFile: '/app/agent.js',
    isReadableFile: (path) => !path.includes('missing'),
    readSecretFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('gone'), { code: 'ENOENT' });
      return text;
    },
  };
}

function accepted(given: Given = {}): Config {
  const parsed = parseConfig(sources(given));
  if ('errors' in parsed) throw new Error(parsed.errors.join('\n'));
  return parsed.config;
}

function errorsOf(given: Given): readonly string[] {
  const parsed = parseConfig(sources(given));
  return 'errors' in parsed ? parsed.errors : [];
}

test('the required settings alone give the documented defaults', () => {
  const config = accepted();
  expect(config).toMatchObject({
    livekit: {
      url: 'https://livekit.example.com',
      wsUrl: 'wss://livekit.example.com',
      apiKey: 'APIkey',
    },
    taskLivekitUrl: 'wss://livekit.example.com',
    engine: { driver: 'docker', network: null },
    deployment: 'default',
    webhookListen: { host: '0.0.0.0', port: 8080 },
    gatewayListen: { host: '0.0.0.0', port: 8083 },
    adminListen: { host: '127.0.0.1', port: 8082 },
    gatewayUrl: null,
    resyncMs: 30_000,
    logLevel: 'info',
  });
  expect(config.livekit.apiSecret.reveal()).toBe(API_SECRET);
  expect(config.webhookKeys.map(({ key, secret }) => [key, secret.reveal()])).toEqual([
    ['APIkey', API_SECRET],
  ]);
  expect(config.profiles.list).toEqual([
    {
      name: 'default',
      template: 'agents/mine:1',
      cpu: 1,
      memoryMiB: 1024,
      retries: 3,
      startDeadlineMs: 600_000,
      joinDeadlineMs: 60_000,
      maxLifetimeMs: 86_400_000,
      shutdownTimeoutMs: 60_000,
    },
  ]);
});

test('every setting arrives, in its unit', () => {
  const config = accepted({
    env: {
      LIVEKIT_URL: 'http://127.0.0.1:7880/',
      LAUNCHER_TASK_LIVEKIT_URL: 'https://inner.example/path',
      LAUNCHER_WEBHOOK_KEYS: 'old:s3cret:with:colons,APIkey:next',
      LAUNCHER_GATEWAY_SECRET: `${'a'.repeat(32)},${'b'.repeat(32)}`,
      ...PROCESS,
      LAUNCHER_AGENT_FILE: 'agents/mine.js',
      LAUNCHER_AGENT_ENV_FILE: 'agent.env',
      LAUNCHER_DEPLOYMENT: 'blue-1',
      LAUNCHER_WEBHOOK_LISTEN: '[::1]:0',
      LAUNCHER_GATEWAY_LISTEN: 'localhost:0',
      LAUNCHER_ADMIN_LISTEN: '0.0.0.0:9000',
      LAUNCHER_GATEWAY_URL: 'wss://gate.example/',
      LAUNCHER_RETRIES: '0',
      LAUNCHER_START_DEADLINE_SECONDS: '1',
      LAUNCHER_JOIN_DEADLINE_SECONDS: '2',
      LAUNCHER_SHUTDOWN_TIMEOUT_SECONDS: '3',
      LAUNCHER_MAX_LIFETIME_SECONDS: '4',
      LAUNCHER_RESYNC_SECONDS: '5',
      LAUNCHER_LOG_LEVEL: 'debug',
    },
  });
  expect(config).toMatchObject({
    livekit: { url: 'http://127.0.0.1:7880', wsUrl: 'ws://127.0.0.1:7880' },
    taskLivekitUrl: 'wss://inner.example/path',
    deployment: 'blue-1',
    webhookListen: { host: '::1', port: 0 },
    gatewayListen: { host: 'localhost', port: 0 },
    adminListen: { host: '0.0.0.0', port: 9000 },
    gatewayUrl: 'wss://gate.example',
    resyncMs: 5000,
    logLevel: 'debug',
  });
  expect(config.profiles.list).toMatchObject([
    {
      template: '/base/agents/mine.js',
      envFile: '/base/agent.env',
      retries: 0,
      startDeadlineMs: 1000,
      joinDeadlineMs: 2000,
      shutdownTimeoutMs: 3000,
      maxLifetimeMs: 4000,
    },
  ]);
  expect(config.webhookKeys.map(({ key, secret }) => [key, secret.reveal()])).toEqual([
    ['APIkey', API_SECRET],
    ['old', 's3cret:with:colons'],
    ['APIkey', 'next'],
  ]);
  expect(config.gatewaySecrets.map((secret) => secret.reveal()[0])).toEqual(['a', 'b']);
});

test('the file gives settings too, and the environment wins', () => {
  const file = { retries: 7, resyncSeconds: '9', deployment: 'from-file', livekitApiKey: 'k2' };
  const config = accepted({ file, env: { LAUNCHER_RETRIES: '1', LAUNCHER_DEPLOYMENT: '' } });
  expect(config.profiles.list[0]?.retries).toBe(1);
  expect(config).toMatchObject({ resyncMs: 9000, deployment: 'from-file' });
  expect(config.livekit.apiKey).toBe('APIkey');
});

test('a file alone is enough', () => {
  const env = { LIVEKIT_URL: '', LIVEKIT_API_KEY: undefined, LIVEKIT_API_SECRET: undefined };
  const file = { livekitUrl: 'ws://h:1', livekitApiKey: 'k', livekitApiSecretFile: 'secret.txt' };
  const config = accepted({ env, file, files: { '/base/secret.txt': 'from-file\r\n' } });
  expect(config.livekit.apiSecret.reveal()).toBe('from-file');
});

test('a secret of the environment spares the secret file that the file names', () => {
  const file = { livekitApiSecretFile: '/not/there' };
  expect(accepted({ file }).livekit.apiSecret.reveal()).toBe(API_SECRET);
});

test('listeners may all ask for any free port', () => {
  const LAUNCHER_WEBHOOK_LISTEN = '127.0.0.1:0';
  const LAUNCHER_GATEWAY_LISTEN = '127.0.0.1:0';
  const env = { ...PROCESS, LAUNCHER_WEBHOOK_LISTEN, LAUNCHER_GATEWAY_LISTEN };
  expect(errorsOf({ env })).toEqual([]);
});

test('a secret file of the environment wins over the secret of the file', () => {
  const env = { LIVEKIT_API_SECRET: '', LIVEKIT_API_SECRET_FILE: '/run/secret' };
  const file = { livekitApiSecret: 'of-the-file' };
  const config = accepted({ env, file, files: { '/run/secret': 'of-the-environment\n' } });
  expect(config.livekit.apiSecret.reveal()).toBe('of-the-environment');
});

function derive(apiSecret: string): string {
  return accepted({ env: { LIVEKIT_API_SECRET: apiSecret } }).gatewaySecrets[0].reveal();
}

test('the gateway secret is derived from the API secret: always the same, never it', () => {
  expect(derive('one')).toBe(derive('one'));
  expect(derive('one')).not.toBe(derive('two'));
  expect(derive('one')).toMatch(/^[\w-]{43}$/);
});

test('what Kubernetes injects, and what others own, is ignored', () => {
  const env = {
    LAUNCHER_SERVICE_HOST: '10.0.0.1',
    LAUNCHER_PORT: 'tcp://10.0.0.1:80',
    LAUNCHER_PORT_8080_TCP_ADDR: '10.0.0.1',
    LAUNCHER_CONFIG: '/etc/launcher.yaml',
    LAUNCHER_STANDBY: '0',
    LAUNCHER_UNKNOWN: '',
    LIVEKIT_KEYS: 'a: b',
    PATH: '/bin',
  };
  expect(errorsOf({ env })).toEqual([]);
  expect(errorsOf({ file: { standby: 0, retries: null } })).toEqual([]);
});

/** What is given, and what its one error line must hold. */
const BAD: readonly [title: string, given: Given, ...parts: string[]][] = [
  ['no URL', { env: { LIVEKIT_URL: undefined } }, 'LIVEKIT_URL is not set', 'has no default'],
  ['empty URL', { env: { LIVEKIT_URL: '' } }, 'LIVEKIT_URL is not set'],
  ['no key', { env: { LIVEKIT_API_KEY: '' } }, 'LIVEKIT_API_KEY is not set'],
  ['no secret', { env: { LIVEKIT_API_SECRET: '' } }, 'LIVEKIT_API_SECRET is not set'],
  ['no scheme', { env: { LIVEKIT_URL: 'example.com' } }, 'is "example.com"', 'ws://, wss://'],
  ['scheme', { env: { LIVEKIT_URL: 'ftp://h' } }, 'LIVEKIT_URL is "ftp://h"', 'http://'],
  ['no host', { env: { LIVEKIT_URL: 'ws://' } }, 'LIVEKIT_URL is "ws://"'],
  ['one slash', { env: { LIVEKIT_URL: 'ws:/h' } }, 'LIVEKIT_URL is "ws:/h"'],
  ['white space', { env: { LIVEKIT_URL: ' ws://h' } }, 'LIVEKIT_URL is " ws://h"'],
  ['credentials', { env: { LIVEKIT_URL: 'ws://u:topsecret@h' } }, 'is "ws://…@h"', 'credentials'],
  ['query', { env: { LIVEKIT_URL: 'ws://h/?t=topsecret' } }, 'is "ws://h/?…"', 'query'],
  ['fragment', { env: { LIVEKIT_URL: 'ws://h/#x' } }, 'is "ws://h/#…"', 'fragment'],
  ['path', { env: { LIVEKIT_URL: 'ws://h/livekit' } }, 'is "ws://h/livekit"', 'path'],
  ['two lines', { env: { LIVEKIT_URL: 'ws://h\nx' } }, String.raw`is "ws://h\nx"`],
  ['long', { env: { LIVEKIT_URL: 'x'.repeat(999) } }, `${'x'.repeat(80)}…"`],
  ['task URL', { env: { LAUNCHER_TASK_LIVEKIT_URL: 'x' } }, 'LAUNCHER_TASK_LIVEKIT_URL is "x"'],
  [
    'key with its secret',
    { env: { LIVEKIT_API_KEY: 'key: topsecret' } },
    'LIVEKIT_API_KEY (value not shown)',
    'no white space',
  ],
  [
    'secret in two parts',
    { env: { LIVEKIT_API_SECRET: 'topsecret x' } },
    'LIVEKIT_API_SECRET (value not shown)',
  ],
  [
    'secret twice',
    { env: { LIVEKIT_API_SECRET_FILE: '/s' }, files: { '/s': 'x' } },
    'LIVEKIT_API_SECRET and LIVEKIT_API_SECRET_FILE are both given; keep one',
  ],
  [
    'unreadable secret file',
    { env: { LIVEKIT_API_SECRET: '', LIVEKIT_API_SECRET_FILE: 'no/where' } },
    'LIVEKIT_API_SECRET_FILE is "no/where"',
    'cannot be read (ENOENT)',
  ],
  [
    'empty secret file',
    { env: { LIVEKIT_API_SECRET: '', LIVEKIT_API_SECRET_FILE: '/s' }, files: { '/s': '\n' } },
    'LIVEKIT_API_SECRET_FILE is "/s": the file is empty',
  ],
  [
    'bad secret in a file',
    { env: { LAUNCHER_GATEWAY_SECRET_FILE: '/s' }, files: { '/s': 'topsecret' } },
    'LAUNCHER_GATEWAY_SECRET_FILE (value not shown)',
    '32 characters',
  ],
  ['pair', { env: { LAUNCHER_WEBHOOK_KEYS: 'topsecret' } }, 'LAUNCHER_WEBHOOK_KEYS (value not'],
  ['no secret in pair', { env: { LAUNCHER_WEBHOOK_KEYS: 'k:' } }, 'LAUNCHER_WEBHOOK_KEYS'],
  ['no key in pair', { env: { LAUNCHER_WEBHOOK_KEYS: ':topsecret' } }, 'LAUNCHER_WEBHOOK_KEYS'],
  ['empty pair', { env: { LAUNCHER_WEBHOOK_KEYS: 'k:s,' } }, 'a comma list of key:secret'],
  ['short', { env: { LAUNCHER_GATEWAY_SECRET: 'topsecret' } }, 'LAUNCHER_GATEWAY_SECRET (value'],
  [
    'short second',
    { env: { LAUNCHER_GATEWAY_SECRET: `${'a'.repeat(32)},topsecret` } },
    'LAUNCHER_GATEWAY_SECRET (value not shown)',
  ],
  ['driver', { env: { LAUNCHER_DRIVER: 'podman' } }, 'LAUNCHER_DRIVER is "podman"', 'ecs'],
  ['deployment', { env: { LAUNCHER_DEPLOYMENT: 'Prod' } }, 'LAUNCHER_DEPLOYMENT is "Prod"', 'a-z'],
  ['deployment', { env: { LAUNCHER_DEPLOYMENT: 'x'.repeat(25) } }, '1 to 24'],
  ['port alone', { env: { LAUNCHER_WEBHOOK_LISTEN: '8080' } }, 'LAUNCHER_WEBHOOK_LISTEN is "8080"'],
  ['no port', { env: { LAUNCHER_GATEWAY_LISTEN: 'h' } }, 'LAUNCHER_GATEWAY_LISTEN is "h"'],
  ['port', { env: { LAUNCHER_ADMIN_LISTEN: 'h:65536' } }, 'LAUNCHER_ADMIN_LISTEN is "h:65536"'],
  ['IPv6', { env: { LAUNCHER_ADMIN_LISTEN: '::1:80' } }, 'IPv6 as [::1]:8080'],
  ['listen URL', { env: { LAUNCHER_ADMIN_LISTEN: 'http://h:1' } }, 'must be host:port'],
  [
    'one port for two',
    { env: { LAUNCHER_ADMIN_LISTEN: '127.0.0.1:8080' } },
    'LAUNCHER_WEBHOOK_LISTEN and LAUNCHER_ADMIN_LISTEN both take port 8080',
  ],
  [
    'one address for two',
    {
      env: {
        ...PROCESS,
        LAUNCHER_ADMIN_LISTEN: 'localhost:1',
        LAUNCHER_GATEWAY_LISTEN: '127.0.0.1:1',
      },
    },
    'LAUNCHER_GATEWAY_LISTEN and LAUNCHER_ADMIN_LISTEN both take port 1',
  ],
  ['gateway URL', { env: { LAUNCHER_GATEWAY_URL: 'http://h' } }, 'LAUNCHER_GATEWAY_URL', 'ws://'],
  ['negative', { env: { LAUNCHER_RETRIES: '-1' } }, 'LAUNCHER_RETRIES is "-1"', '0 to 100'],
  ['fraction', { env: { LAUNCHER_RETRIES: '1.5' } }, 'LAUNCHER_RETRIES is "1.5"'],
  ['word', { env: { LAUNCHER_RETRIES: 'three' } }, 'a whole number from 0 to 100'],
  ['hex', { env: { LAUNCHER_RETRIES: '0x3' } }, 'LAUNCHER_RETRIES is "0x3"'],
  ['too many', { env: { LAUNCHER_RETRIES: '101' } }, 'LAUNCHER_RETRIES is "101"'],
  ['blank', { env: { LAUNCHER_RETRIES: ' ' } }, 'LAUNCHER_RETRIES is " "'],
  ['start', { env: { LAUNCHER_START_DEADLINE_SECONDS: '0' } }, 'LAUNCHER_START_DEADLINE_SECONDS'],
  ['join', { env: { LAUNCHER_JOIN_DEADLINE_SECONDS: '0' } }, 'LAUNCHER_JOIN_DEADLINE_SECONDS is'],
  ['grace', { env: { LAUNCHER_SHUTDOWN_TIMEOUT_SECONDS: '9999' } }, '_TIMEOUT_SECONDS is "9999"'],
  ['life', { env: { LAUNCHER_MAX_LIFETIME_SECONDS: '0' } }, 'LAUNCHER_MAX_LIFETIME_SECONDS is'],
  ['resync', { env: { LAUNCHER_RESYNC_SECONDS: '0' } }, 'LAUNCHER_RESYNC_SECONDS is "0"'],
  ['level', { env: { LAUNCHER_LOG_LEVEL: 'INFO' } }, 'is "INFO"', 'debug, info, warn, error or'],
  ['typo', { env: { LAUNCHER_RETRYS: '1' } }, 'LAUNCHER_RETRYS', 'did you mean LAUNCHER_RETRIES?'],
  ['prefix', { env: { LAUNCHER_LIVEKIT_URL: 'x' } }, 'did you mean LIVEKIT_URL?'],
  ['unknown', { env: { LAUNCHER_FROBNICATE: '1' } }, 'LAUNCHER_FROBNICATE is no setting', 'remove'],
  ['no image', { env: { LAUNCHER_AGENT_IMAGE: undefined } }, 'LAUNCHER_AGENT_IMAGE is not set'],
  ['odd image', { env: { LAUNCHER_AGENT_IMAGE: 'a b' } }, 'LAUNCHER_AGENT_IMAGE is "a b"'],
  [
    "the other driver's setting",
    { env: { LAUNCHER_DRIVER: 'process' } },
    'LAUNCHER_AGENT_IMAGE is "agents/mine:1": it is for LAUNCHER_DRIVER=docker',
  ],
  [
    'the other way round',
    { env: { LAUNCHER_AGENT_FILE: 'a.js' } },
    'LAUNCHER_AGENT_FILE is "a.js": it is for LAUNCHER_DRIVER=process',
  ],
  [
    'gateway on loopback, tasks on a bridge',
    { env: { LAUNCHER_GATEWAY_LISTEN: '127.0.0.1:8083' } },
    'LAUNCHER_GATEWAY_LISTEN is 127.0.0.1:8083: containers on a bridge cannot reach loopback',
  ],
  ['network', { env: { LAUNCHER_DOCKER_NETWORK: '/x' } }, 'LAUNCHER_DOCKER_NETWORK is "/x"'],
  ['ECS', { env: { LAUNCHER_ECS_CLUSTER: 'x' } }, 'it is for LAUNCHER_DRIVER=ecs; set that, or'],
  [
    'agent file',
    { env: { ...PROCESS, LAUNCHER_AGENT_FILE: 'missing.js' } },
    'LAUNCHER_AGENT_FILE is "missing.js": there is no file /base/missing.js that can be read',
  ],
  [
    'env file of the YAML file',
    { file: { agentEnvFile: '/missing' } },
    'agentEnvFile in the file of LAUNCHER_CONFIG is "/missing": there is no file /missing',
  ],
  ['standby', { env: { LAUNCHER_STANDBY: '-1' } }, 'LAUNCHER_STANDBY is "-1"'],
  [
    'standby without a profile of the environment',
    {
      env: { LAUNCHER_AGENT_IMAGE: '' },
      file: { standby: 2, profiles: [{ name: 'a', image: 'a' }] },
    },
    'standby in the file of LAUNCHER_CONFIG is "2"',
    'give profiles a standby each',
  ],
  ['profile', { file: { profile: [] } }, 'profile in the file', 'did you mean profiles?'],
  ['file is a list', { file: [1] }, 'the file of LAUNCHER_CONFIG must hold keys and values'],
  ['file is a text', { file: 'x' }, 'the file of LAUNCHER_CONFIG must hold keys and values'],
  ['file typo', { file: { retrys: 1 } }, 'retrys in the file', 'did you mean retries?'],
  ['file value', { file: { retries: -1 } }, 'retries in the file of LAUNCHER_CONFIG is "-1"'],
  ['file group', { file: { retries: { a: 1 } } }, 'must be one text or number'],
  ['file list', { file: { deployment: ['a'] } }, 'must be one text or number'],
  [
    'file in file',
    { file: { config: 'x' } },
    'config in the file of LAUNCHER_CONFIG is no setting',
  ],
];

test.each(BAD)('bad input: %s, %o', (_title, given, ...parts) => {
  const [line, ...others] = errorsOf(given);
  expect(others).toEqual([]);
  for (const part of parts) expect(line).toContain(part);
  expect(line).not.toContain('topsecret');
  expect(line).not.toContain('\n');
});

test('all errors are said at once', () => {
  const env = { LIVEKIT_URL: '', LAUNCHER_RETRIES: 'x', LAUNCHER_FOO: 'x', LAUNCHER_STANDBY: '-3' };
  expect(errorsOf({ env, file: { nothing: 1 } })).toHaveLength(5);
});

test.each([
  ['0.0.0.0:0', 'ws://127.0.0.1:4711'],
  ['[::]:0', 'ws://[::1]:4711'],
  ['[::1]:0', 'ws://[::1]:4711'],
  ['127.0.0.2:0', 'ws://127.0.0.2:4711'],
])('tasks reach a gateway on %s at %s', (listen, url) => {
  expect(
    gatewayUrlOf(accepted({ env: { ...PROCESS, LAUNCHER_GATEWAY_LISTEN: listen } }), 4711),
  ).toBe(url);
});

test('a given gateway URL is taken as it is', () => {
  const config = accepted({ env: { LAUNCHER_GATEWAY_URL: 'ws://gate:1/x' } });
  expect(gatewayUrlOf(config, 4711)).toBe('ws://gate:1/x');
});

test('no secret shows in the summary or when the configuration is printed', () => {
  const env = { LAUNCHER_WEBHOOK_KEYS: 'old:topsecret', LAUNCHER_GATEWAY_SECRET: 'z'.repeat(32) };
  const config = accepted({ env });
  const printed = [describeConfig(config), config].map(
    (value) => JSON.stringify(value) + inspect(value, { depth: 9 }),
  );
  for (const secret of [API_SECRET, 'topsecret', 'zzzz']) {
    expect(printed.join()).not.toContain(secret);
  }
  expect(describeConfig(config)).toMatchObject({ admin_listen: '127.0.0.1:8082' });
});

test.each([
  [{}, 'ws://host.docker.internal:7', 'ws://host.docker.internal:7880'],
  [
    { LAUNCHER_DOCKER_NETWORK: 'mine' },
    'ws://host.docker.internal:7',
    'ws://host.docker.internal:7880',
  ],
  [{ LAUNCHER_DOCKER_NETWORK: 'host' }, 'ws://127.0.0.1:7', 'ws://127.0.0.1:7880'],
  [PROCESS, 'ws://127.0.0.1:7', 'ws://127.0.0.1:7880'],
  [
    { LAUNCHER_TASK_LIVEKIT_URL: 'ws://localhost:1' },
    'ws://host.docker.internal:7',
    'ws://localhost:1',
  ],
])('with %j, tasks reach this machine as they must', (env, gateway, livekit) => {
  const config = accepted({ env: { LIVEKIT_URL: 'ws://127.0.0.1:7880', ...env } });
  expect(gatewayUrlOf(config, 7)).toBe(gateway);
  expect(config.taskLivekitUrl).toBe(livekit);
});
