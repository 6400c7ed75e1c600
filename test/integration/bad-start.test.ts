/**
 * Starts that cannot be, through the compiled command: one line that says what, which value and
 * what to do, exit code 64, and nothing left behind.
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { GOOD_ENV, runCommand } from '../support/command.ts';
import { describeWithLiveKit, livekitServer } from '../support/livekit-server.ts';

const EXIT_USAGE = 64;
const SECRET = GOOD_ENV.LIVEKIT_API_SECRET;
const cleanup = new Cleanup();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bad-start-'));
  cleanup.defer(() => rm(folder, { recursive: true }));
});
afterAll(() => cleanup.run());

type Env = Readonly<Record<string, string>>;

/** Runs `serve` with these settings over good ones; the lines that it refused to start with. */
async function refusalOf(env: Env): Promise<string[]> {
  const end = await runCommand(['serve'], { ...GOOD_ENV, ...env });
  expect(end).toMatchObject({ code: EXIT_USAGE, leftState: false });
  expect(end.stdout + end.stderr).not.toMatch(/top-secret|an-api-secret/);
  const lines = end.stderr.trimEnd().split('\n');
  for (const line of lines) expect(line).toMatch(/^room-launcher: /);
  return lines.map((line) => line.slice('room-launcher: '.length));
}

const URL_FORM =
  'must be a URL that begins with ws://, wss://, http://, https://, ' +
  'without credentials, path, query or fragment; it is the LiveKit server whose rooms are served';
const NO_DRIVER = 'must be docker, ecs or process; this version has no other driver';

test.each<[title: string, env: Env, line: string]>([
  [
    'no URL',
    { LIVEKIT_URL: '' },
    'LIVEKIT_URL is not set and has no default: set it; ' +
      'it is the LiveKit server whose rooms are served',
  ],
  [
    'no key',
    { LIVEKIT_API_KEY: '' },
    'LIVEKIT_API_KEY is not set and has no default: set it; ' +
      "it is listed under `keys` in the server's config",
  ],
  [
    'no secret',
    { LIVEKIT_API_SECRET: '' },
    'LIVEKIT_API_SECRET is not set and has no default: set it; it belongs to LIVEKIT_API_KEY',
  ],
  [
    'a URL without scheme',
    { LIVEKIT_URL: 'localhost:7880' },
    `LIVEKIT_URL is "localhost:7880", but ${URL_FORM}`,
  ],
  [
    'a URL with a token',
    { LIVEKIT_URL: 'wss://u:top-secret@host?token=top-secret' },
    `LIVEKIT_URL is "wss://…@host?…", but ${URL_FORM}`,
  ],
  [
    'a key with its secret',
    { LIVEKIT_API_KEY: 'APIkey: top-secret' },
    'LIVEKIT_API_KEY (value not shown) must be an API key: no white space, comma or colon; ' +
      "it is listed under `keys` in the server's config",
  ],
  [
    'a secret in two parts',
    { LIVEKIT_API_SECRET: 'top-secret top-secret' },
    'LIVEKIT_API_SECRET (value not shown) must be one text without white space; ' +
      'it belongs to LIVEKIT_API_KEY',
  ],
  [
    'an unknown driver',
    { LAUNCHER_DRIVER: 'podman' },
    `LAUNCHER_DRIVER is "podman", but ${NO_DRIVER}`,
  ],
  [
    'ecs without its cluster',
    {
      LAUNCHER_DRIVER: 'ecs',
      LAUNCHER_ECS_SUBNETS: 'subnet-1',
      LAUNCHER_ECS_TASK_DEFINITION: 'agent:1',
      LAUNCHER_GATEWAY_URL: 'ws://gateway.example:8083',
      LAUNCHER_TASK_LIVEKIT_URL: 'wss://livekit.example',
    },
    'LAUNCHER_ECS_CLUSTER is not set and has no default: set it; tasks run in it; ' +
      'best one of their own, for all of its tasks are listed',
  ],
  [
    'a setting of the other driver',
    { LAUNCHER_AGENT_IMAGE: 'agent:1' },
    'LAUNCHER_AGENT_IMAGE is "agent:1": it is for LAUNCHER_DRIVER=docker; set that, or remove this',
  ],
  [
    'a mistyped name',
    { LAUNCHER_RETRYS: '3' },
    'LAUNCHER_RETRYS is no setting of this version; did you mean LAUNCHER_RETRIES?',
  ],
  [
    'an unknown name',
    { LAUNCHER_FROBNICATE: '3' },
    'LAUNCHER_FROBNICATE is no setting of this version; remove it; room-launcher serve --help lists all settings',
  ],
  [
    'a number out of range',
    { LAUNCHER_RESYNC_SECONDS: '0' },
    'LAUNCHER_RESYNC_SECONDS is "0", but must be a whole number from 1 to 3600; ' +
      'all rooms and tasks are looked at this often, whatever webhooks say',
  ],
  [
    'a word for a number',
    { LAUNCHER_RETRIES: 'three' },
    'LAUNCHER_RETRIES is "three", but must be a whole number from 0 to 100; ' +
      'launches after the first, per room',
  ],
  [
    'an address without host',
    { LAUNCHER_ADMIN_LISTEN: '8082' },
    'LAUNCHER_ADMIN_LISTEN is "8082", but must be host:port, port from 0 (any free one) to 65535, ' +
      'IPv6 as [::1]:8080; it answers health and the admin API',
  ],
  [
    'an agent file that is not there',
    { LAUNCHER_AGENT_FILE: '/no/where/agent.js' },
    'LAUNCHER_AGENT_FILE is "/no/where/agent.js": ' +
      'there is no file /no/where/agent.js that can be read; correct the path',
  ],
  [
    'a folder as agent file',
    { LAUNCHER_AGENT_FILE: tmpdir() },
    `LAUNCHER_AGENT_FILE is "${tmpdir()}": ` +
      `there is no file ${tmpdir()} that can be read; correct the path`,
  ],
  [
    'an env file that is not there',
    { LAUNCHER_AGENT_ENV_FILE: '/no/where/.env' },
    'LAUNCHER_AGENT_ENV_FILE is "/no/where/.env": ' +
      'there is no file /no/where/.env that can be read; correct the path',
  ],
  [
    'a secret file that is not there',
    { LIVEKIT_API_SECRET: '', LIVEKIT_API_SECRET_FILE: '/no/where/s' },
    'LIVEKIT_API_SECRET_FILE is "/no/where/s": the file cannot be read (ENOENT); ' +
      'check the path and its permissions',
  ],
  [
    'a config file that is not there',
    { LAUNCHER_CONFIG: '/no/where/c.yaml' },
    'LAUNCHER_CONFIG is "/no/where/c.yaml": the file cannot be read (ENOENT); ' +
      'check the path and its permissions',
  ],
  [
    'a folder as config file',
    { LAUNCHER_CONFIG: tmpdir() },
    `LAUNCHER_CONFIG is "${tmpdir()}": the file cannot be read (EISDIR); ` +
      'check the path and its permissions',
  ],
])('%s: one line, 64', async (_title, env, line) => {
  expect(await refusalOf(env)).toEqual([line]);
});

test.each<[title: string, text: string, lines: string[]]>([
  [
    'that is not YAML',
    'retries: 3\nlivekitApiSecret: top-secret: x\n',
    [
      'LAUNCHER_CONFIG is "FILE": the file is not YAML at line 2, column 19 ' +
        '(BLOCK_AS_IMPLICIT_KEY); correct it there',
    ],
  ],
  ['that is a list', '- retries\n', ['the file of LAUNCHER_CONFIG must hold keys and values']],
  [
    'with unknown and unusable keys',
    'retrys: 3\nprofiles: all\nretries: [1]\njoinDeadlineSeconds: soon\n',
    [
      'retrys in line 1 of the file of LAUNCHER_CONFIG is no setting of this version; ' +
        'did you mean retries?',
      'retries in line 3 of the file of LAUNCHER_CONFIG must be one text or number, ' +
        'not a list or a group of keys',
      'joinDeadlineSeconds in line 4 of the file of LAUNCHER_CONFIG is "soon", ' +
        'but must be a whole number from 1 to 86400; ' +
        'a task that is not in its room by then is stopped and tried again',
      'profiles in line 2 of the file of LAUNCHER_CONFIG must be a list of profiles',
    ],
  ],
])('a config file %s', async (_title, text, lines) => {
  const file = join(folder, 'config.yaml');
  await writeFile(file, text);
  const said = await refusalOf({ LAUNCHER_CONFIG: file });
  expect(said).toEqual(lines.map((line) => line.replace('FILE', file)));
});

test('all errors are said at once, a line each', async () => {
  expect(await refusalOf({ LIVEKIT_URL: '', LIVEKIT_API_KEY: '', LAUNCHER_RETRIES: 'x' })).toEqual([
    expect.stringMatching(/^LIVEKIT_URL is not set/),
    expect.stringMatching(/^LIVEKIT_API_KEY is not set/),
    expect.stringMatching(/^LAUNCHER_RETRIES is "x"/),
  ]);
});

test.each(['LAUNCHER_WEBHOOK_LISTEN', 'LAUNCHER_GATEWAY_LISTEN', 'LAUNCHER_ADMIN_LISTEN'])(
  'a port in use: %s is named',
  async (setting) => {
    await using other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const bound = other.address();
    const address = `127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
    expect(await refusalOf({ [setting]: address })).toEqual([
      `${setting} is ${address}: another program listens there; stop it or choose another port`,
    ]);
  },
);

test('one port for two listeners', async () => {
  const [line] = await refusalOf({
    LAUNCHER_ADMIN_LISTEN: '127.0.0.1:4444',
    LAUNCHER_GATEWAY_LISTEN: '127.0.0.1:4444',
  });
  expect(line).toBe(
    'LAUNCHER_GATEWAY_LISTEN and LAUNCHER_ADMIN_LISTEN both take port 4444; ' +
      'give each listener a port of its own',
  );
});

describe('the command line', () => {
  test.each<[args: string, line: string]>([
    ['frobnicate', "unknown command or operand 'frobnicate'"],
    ['serve more', "unknown command or operand 'more'"],
    ['--frob', "unknown option '--frob'"],
    ['serve --frob', "unknown option '--frob'"],
    ['serve --json', "'--json' and '--wide' need '--dry-run'"],
    [
      'dev --rooms 0',
      "option '--rooms <n>' argument '0' is invalid. It must be a whole number from 1 to 50",
    ],
    ['doctor --metadata {}', "option '--metadata' needs '--room'"],
    ['doctor --offline --probe', "option '--offline' cannot be used with option '--probe'"],
    ['logs', "missing required argument 'room|task'"],
    [
      'logs lobby --tail all',
      "option '-n, --tail <lines>' argument 'all' is invalid. It must be a number of lines from 0 to 10000",
    ],
    ['stop', "missing required argument 'room|task'"],
    ['rooms --frob', "unknown option '--frob'"],
  ])('%s: one line, 64', async (args, line) => {
    const [command = ''] = args.split(' ');
    const own = ['dev', 'doctor', 'logs', 'stop', 'rooms'].includes(command) ? `${command} ` : '';
    expect(await runCommand(args.split(' '), GOOD_ENV)).toEqual({
      code: EXIT_USAGE,
      stdout: '',
      stderr: `room-launcher: ${line}; see room-launcher ${own}--help\n`,
      leftState: false,
    });
  });

  test('doctor checks a file alone, and refuses what serve refuses', async () => {
    const good = join(folder, 'good.yaml');
    await writeFile(good, 'profiles:\n  - name: calm\n    image: agents/calm:1\n');
    const end = await runCommand(['doctor', '--offline', '--config', good, '--room', 'x']);
    expect(end).toMatchObject({ code: 0, stderr: '', leftState: false });
    expect(end.stdout).toMatch(/^calm +every room +agents\/calm:1 /m);
    const bad = join(folder, 'bad.yaml');
    await writeFile(bad, 'profiles:\n  - name: calm\n    cpu: 0\n');
    const { code, stderr } = await runCommand(['doctor', '--offline', '--config', bad]);
    const listen = { LAUNCHER_GATEWAY_LISTEN: '0.0.0.0:0' };
    const env = { LAUNCHER_DRIVER: '', LAUNCHER_CONFIG: bad, ...listen };
    const said = await refusalOf(env);
    expect(code).toBe(EXIT_USAGE);
    expect(stderr).toBe(said.map((line) => `room-launcher: ${line}\n`).join(''));
    expect(said[0]).toMatch(/^profiles\[0\]\.cpu in line 3 of .* is "0", but must be a number/);
  });

  test('--help and --version need no settings', async () => {
    const help = await runCommand(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '', leftState: false });
    expect(help.stdout).toMatch(/^Usage: room-launcher/);
    const version = await runCommand(['--version']);
    expect(version).toMatchObject({ code: 0, stderr: '' });
    expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describeWithLiveKit('credentials that the server refuses', () => {
  const livekit = livekitServer();

  test.each<[string, Env]>([
    ['secret', { LIVEKIT_API_SECRET: SECRET }],
    ['key', { LIVEKIT_API_KEY: 'APIother' }],
  ])('a wrong %s', async (_what, wrong) => {
    const { url, httpUrl, apiKey, apiSecret } = livekit();
    const env = {
      LIVEKIT_URL: url,
      LIVEKIT_API_KEY: apiKey,
      LIVEKIT_API_SECRET: apiSecret.reveal(),
      ...wrong,
    };
    expect(await refusalOf(env)).toEqual([
      `LiveKit at ${httpUrl} refused the API key ${env.LIVEKIT_API_KEY} (401): ` +
        "check LIVEKIT_API_KEY and LIVEKIT_API_SECRET, and this machine's clock",
    ]);
  });
});
