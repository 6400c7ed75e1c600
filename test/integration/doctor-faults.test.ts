/**
 * Faults as they happen in practice, planted one by one: the right check of `room-launcher doctor`
 * names each with its value and with what to do.
 */
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startChild } from '../../launcher/dev/process.ts';
import { freeTcpPorts } from '../../launcher/dev/ports.ts';
import type { CheckName } from '../../launcher/doctor/finding.ts';
import { CREDENTIALS, serve } from '../fakes/ecs/index.ts';
import { Cleanup } from '../support/cleanup.ts';
import { GOOD_ENV } from '../support/command.ts';
import {
  AGENT_IMAGE,
  derivedImage,
  hostOnBridge,
  startEngineProxy,
} from '../support/docker-bed.ts';
import { removeDeployment, uniqueName } from '../support/docker-engine.ts';
import {
  diagnose,
  otherSigner,
  rightSettings,
  serveHttp,
  shiftedClock,
} from '../support/doctor-bed.ts';
import { CLUSTER, ecsBed, TEMPLATE } from '../support/ecs-bed.ts';
import { foreignArchitecture } from '../support/image-archive.ts';
import { freeLauncherPorts, startTestLauncher, webhookUrlOf } from '../support/launcher.ts';
import { describeWith } from '../support/left-out.ts';
import {
  livekitServer,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from '../support/livekit-server.ts';
import { waitFor } from '../support/wait.ts';

const TEST_MS = 180_000;
const FIXTURES = new URL('../fixtures/', import.meta.url);
const NEVER_DIALS = fileURLToPath(new URL('never-dials.mjs', FIXTURES));
const AUTO_DISPATCHED = fileURLToPath(new URL('auto-dispatched.mjs', FIXTURES));
/** Nobody's. */
const UNPRIVILEGED_UID = 65_534;
const PROCESSES = { LAUNCHER_DRIVER: 'process', LAUNCHER_AGENT_IMAGE: '' };

type Settings = Record<string, string>;

interface Planted {
  readonly env: Settings;
  readonly args?: readonly string[];
  readonly uid?: number;
}

interface Fault {
  readonly fault: string;
  /** Makes it, and gives the doctor's settings, of which `right` are all right. */
  readonly plant: (right: Settings) => Promise<Planted> | Planted;
  readonly check: CheckName;
  /** Value and cause. */
  readonly says: RegExp;
  /** What to do; within `says` where it stands there. */
  readonly remedy?: RegExp;
  readonly outcome?: 'warning';
  /** Checks that find the same fault, or what else the bed lacks, wrong too. No other does. */
  readonly also?: readonly CheckName[];
  /** Default: 1, if only because of another check. */
  readonly code?: 0 | 64;
}

const cleanup = new Cleanup();
const lasting = new Cleanup();
const deployment = uniqueName('faults');
let ports: Awaited<ReturnType<typeof freeLauncherPorts>>;
/** Where webhooks come that somebody else has signed. */
let mistrusted: Awaited<ReturnType<typeof freeLauncherPorts>>;
let bed: () => TestServer;

async function tempFile(name: string, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'doctor-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

/** A server without webhooks, and how it is reached. */
async function otherServer(options: TestServerOptions): Promise<Settings> {
  const bindAddresses = ['127.0.0.1', await hostOnBridge()];
  const server = cleanup.use(await startTestServer({ bindAddresses, ...options }));
  return {
    LIVEKIT_URL: server.url,
    LIVEKIT_API_KEY: server.apiKey,
    LIVEKIT_API_SECRET: server.apiSecret.reveal(),
  };
}

/** A launcher whose tasks are processes, and the doctor's settings for the same. */
async function besideLauncher(right: Settings, more: Settings = {}): Promise<Planted> {
  const own = await freeLauncherPorts();
  const name = uniqueName('other');
  const env = { ...PROCESSES, ...more };
  const options = { server: bed(), ports: own, deployment: name, env };
  cleanup.use(await startTestLauncher(options));
  const listens = {
    LAUNCHER_DEPLOYMENT: name,
    LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${own.webhook}`,
    LAUNCHER_GATEWAY_LISTEN: `127.0.0.1:${own.gateway}`,
    LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${own.admin}`,
  };
  return { env: { ...right, ...env, ...listens } };
}

const LIVEKIT: readonly Fault[] = [
  {
    fault: 'a wrong API secret',
    plant: (right) => ({
      env: { ...right, LIVEKIT_API_SECRET: 'another-secret-of-thirty-six-letters' },
    }),
    check: 'livekit',
    says: /^LiveKit at http:\S+ refused the API key API\w+ \(401\): .*; it says: /,
    remedy: /^copy both from the server's `keys`/,
  },
  {
    fault: 'an API key that the server does not have',
    plant: (right) => ({ env: { ...right, LIVEKIT_API_KEY: 'APInobody' } }),
    check: 'livekit',
    says: /refused the API key APInobody \(401\).*it says: .*invalid API key/,
    remedy: /^copy both from the server's `keys`/,
  },
  {
    fault: 'LiveKit is down',
    plant: async (right) => {
      const [port] = await freeTcpPorts(1);
      return { env: { ...right, LIVEKIT_URL: `ws://127.0.0.1:${port}` } };
    },
    check: 'livekit',
    also: ['network'],
    says: /^LIVEKIT_URL is http:\/\/127\.0\.0\.1:\d+: no answer \(ECONNREFUSED\)$/,
    remedy: /^nothing listens there: start the server, or correct host and port/,
  },
  {
    fault: 'wss:// for a server without TLS',
    plant: (right) => ({ env: { ...right, LIVEKIT_URL: bed().url.replace('ws:', 'wss:') } }),
    check: 'livekit',
    also: ['network'],
    says: /^LIVEKIT_URL is https:\/\/127\.0\.0\.1:\d+: no answer \(/,
    remedy: /^no TLS is spoken there: write ws:\/\/ in LIVEKIT_URL/,
  },
  {
    fault: 'the port of something that is no LiveKit server',
    plant: async (right) => {
      const port = await serveHttp(cleanup, (_request, response) => {
        response.writeHead(404).end('not here');
      });
      return { env: { ...right, LIVEKIT_URL: `ws://127.0.0.1:${port}` } };
    },
    check: 'livekit',
    also: ['network'],
    says: /^LiveKit at http:\/\/127\.0\.0\.1:\d+ refused the request \(404\)/,
    remedy: /^correct scheme, host and port in LIVEKIT_URL$/,
  },
  {
    fault: 'clocks that are two minutes apart',
    plant: async (right) => {
      const port = await shiftedClock(cleanup, bed().url, -120_000);
      return { env: { ...right, LIVEKIT_URL: `ws://127.0.0.1:${port}` } };
    },
    check: 'clocks',
    also: ['network'],
    says: /^that of LiveKit at http:\S+ is 1[12]\d s behind ours, .*: tokens and webhooks are refused$/,
    remedy: /^keep the clocks of both machines by NTP/,
  },
  {
    fault: 'webhooks that are sent elsewhere',
    plant: async (right) => {
      const [port] = await freeTcpPorts(1);
      const env = { ...right, LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${port}` };
      return { env, args: ['--probe'] };
    },
    check: 'webhook',
    says: /^no webhook about the probe room came to LAUNCHER_WEBHOOK_LISTEN 127\.0\.0\.1:\d+ within 10 s$/,
    remedy: /`webhook\.urls` in the config of the server/,
  },
  {
    fault: 'webhooks that another key signs',
    plant: (right) => {
      const listen = `127.0.0.1:${mistrusted.webhook}`;
      return { env: { ...right, LAUNCHER_WEBHOOK_LISTEN: listen }, args: ['--probe'] };
    },
    check: 'webhook',
    says: /refused \(401\): signed with an API key that is not known here/,
    remedy: /add the key that signs to LAUNCHER_WEBHOOK_KEYS$/,
  },
  {
    fault: 'media that are announced where nobody listens',
    plant: async (right) => ({
      env: { ...right, ...(await otherServer({ nodeIp: '198.51.100.7' })) },
      args: ['--probe'],
    }),
    check: 'media',
    also: ['webhook'],
    says: /^a container of room-launcher-agent:latest cannot join a room: no connection for media/,
    remedy: /^let UDP pass to the server's `rtc\.udp_port`/,
  },
  {
    fault: 'media by TCP alone',
    plant: async (right) => ({
      env: { ...right, ...(await otherServer({ nodeIp: await hostOnBridge(), tcpOnly: true })) },
      args: ['--probe'],
    }),
    check: 'media',
    also: ['webhook'],
    says: /^a container of room-launcher-agent:latest joins a room, media by TCP$/,
    remedy: /^let UDP pass to the server's `rtc\.udp_port`/,
    outcome: 'warning',
  },
  {
    fault: 'a worker that LiveKit sends to every room',
    plant: async (right) => {
      const { url, apiKey, apiSecret } = bed();
      const { PATH, HOME } = process.env;
      const access = { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey };
      const worker = await startChild(process.execPath, [AUTO_DISPATCHED, 'start'], {
        env: { PATH, HOME, ...access, LIVEKIT_API_SECRET: apiSecret.reveal() },
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      cleanup.defer(() => worker.kill());
      let output = '';
      worker.process.stdout?.setEncoding('utf8').on('data', (part: string) => (output += part));
      await waitFor('the worker', () => output.includes('registered worker'), 60_000);
      return { env: right, args: ['--probe'] };
    },
    check: 'agent',
    says: /^an agent that is not the launcher's came into the probe room by itself$/,
    remedy:
      /^a worker without an agent name is sent to every room: stop it, or give it an agent name/,
  },
];

const TASKS: readonly Fault[] = [
  {
    fault: "a gateway's URL that is the container itself",
    plant: (right) => ({
      env: { ...right, LAUNCHER_GATEWAY_URL: `ws://127.0.0.1:${ports.gateway}` },
    }),
    check: 'network',
    says: /^LAUNCHER_GATEWAY_URL is ws:\/\/127\S+: a container of \S+ cannot reach it \(ECONNREFUSED\)$/,
    remedy:
      /^set LAUNCHER_GATEWAY_URL to where tasks reach LAUNCHER_GATEWAY_LISTEN 0\.0\.0\.0:\d+ /,
  },
  {
    fault: "a gateway's URL that leads to something else",
    plant: async (right) => {
      const port = await serveHttp(cleanup, (_request, response) => {
        response.writeHead(404).end('not here');
      });
      const url = { LAUNCHER_GATEWAY_URL: `ws://127.0.0.1:${port}` };
      return { env: { ...right, ...PROCESSES, ...url } };
    },
    check: 'network',
    says: /what answers a process of this machine there is no gateway of ours \(404\)$/,
    remedy: /^let it lead to LAUNCHER_GATEWAY_LISTEN 0\.0\.0\.0:\d+, WebSockets too$/,
  },
  {
    fault: "a gateway's URL that leads to LiveKit itself",
    plant: (right) => {
      const { port } = new URL(bed().httpUrl);
      return { env: { ...right, LAUNCHER_GATEWAY_URL: `ws://host.docker.internal:${port}` } };
    },
    check: 'network',
    says: /^LAUNCHER_GATEWAY_URL is \S+: what answers there does not know the credentials of our tasks \(401\)$/,
    remedy: /^another deployment's launcher, or LiveKit itself: correct the URL/,
  },
  {
    fault: "the gateway of another deployment's launcher",
    plant: async (right) => {
      const { env } = await besideLauncher(right);
      const url = `ws://${env['LAUNCHER_GATEWAY_LISTEN']}`;
      const name = { LAUNCHER_DEPLOYMENT: 'mine', LAUNCHER_GATEWAY_URL: url };
      return { env: { ...right, ...PROCESSES, ...name } };
    },
    check: 'network',
    says: /what answers there does not know the credentials of our tasks \(401\)$/,
    remedy: /the same LAUNCHER_DEPLOYMENT and LAUNCHER_GATEWAY_SECRET/,
  },
  {
    fault: 'a LiveKit URL that is the container itself',
    plant: (right) => ({ env: { ...right, LAUNCHER_TASK_LIVEKIT_URL: bed().url } }),
    check: 'network',
    says: /^LiveKit's URL for tasks is ws:\/\/127\S+: a container of \S+ cannot reach it \(ECONNREFUSED\)$/,
    remedy: /^set LAUNCHER_TASK_LIVEKIT_URL to the server as tasks reach it/,
  },
  {
    fault: 'the engine is away',
    plant: (right) => ({ env: { ...right, DOCKER_HOST: 'unix:///nowhere/docker.sock' } }),
    check: 'engine',
    says: /unix:\/\/\/nowhere\/docker\.sock: there is no such socket; is Docker running, and is DOCKER_HOST right\?$/,
  },
  {
    fault: "no permission on the engine's socket",
    plant: async (right) => {
      const { env } = await startEngineProxy(cleanup);
      const path = String(env['DOCKER_HOST']).replace('unix://', '');
      const isRoot = process.getuid?.() === 0;
      if (isRoot) await chown(path, 0, 0);
      await chmod(path, isRoot ? 0o600 : 0);
      const given = { ...right, DOCKER_HOST: String(env['DOCKER_HOST']) };
      return { env: given, ...(isRoot && { uid: UNPRIVILEGED_UID }) };
    },
    check: 'engine',
    says: /^the Docker engine at unix:\S+: no permission; add this user to the group of the socket$/,
  },
  {
    fault: 'an image that is nowhere',
    plant: (right) => ({ env: { ...right, LAUNCHER_AGENT_IMAGE: 'localhost:1/agent:typo' } }),
    check: 'images',
    says: /^the engine does not have image localhost:1\/agent:typo and cannot pull it: /,
    remedy: /^build it or pull it there, or correct the name/,
  },
  {
    fault: 'an image of another architecture',
    plant: async (right) => {
      const { image, architecture } = await foreignArchitecture(cleanup);
      expect(architecture).toBe('s390x');
      return { env: { ...right, LAUNCHER_AGENT_IMAGE: image } };
    },
    check: 'images',
    says: /^image room-launcher-\S+ is for s390x, the engine runs \w+$/,
    remedy: /^build or pull it for \w+ \(`docker build --platform linux\/\w+`\)$/,
  },
  {
    fault: 'an image that runs as root',
    plant: async (right) => {
      const image = await derivedImage(cleanup, AGENT_IMAGE, {}, ['USER root']);
      return { env: { ...right, LAUNCHER_AGENT_IMAGE: image } };
    },
    check: 'images',
    says: /^image room-launcher-\S+ runs as root$/,
    remedy: /^give it a USER, or set the profile's user$/,
    outcome: 'warning',
    code: 0,
  },
  {
    fault: 'a standby that never registers',
    plant: (right) =>
      besideLauncher(right, { LAUNCHER_STANDBY: '1', LAUNCHER_AGENT_FILE: NEVER_DIALS }),
    check: 'standbys',
    says: /^profile default wants 1 standby, 0 can take a room; task s-default-0-\d{8} is running and has not registered/,
    remedy: /^its own log says what it does instead of registering/,
  },
];

const SETTINGS: readonly Fault[] = [
  {
    fault: 'a port that another program holds',
    plant: async (right) => {
      const server = createServer();
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      cleanup.defer(() => server.close());
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      return { env: { ...right, LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${port}` } };
    },
    check: 'ports',
    says: /^LAUNCHER_WEBHOOK_LISTEN is 127\.0\.0\.1:\d+: another program listens there; stop it or choose another port$/,
  },
  {
    fault: 'a file of settings that is no YAML',
    plant: async (right) => {
      const file = await tempFile('launcher.yaml', 'profiles:\n  - name: "support\n');
      return { env: { ...right, LAUNCHER_CONFIG: file } };
    },
    check: 'settings',
    says: /^LAUNCHER_CONFIG is ".*launcher\.yaml": the file is not YAML at line \d+, .*; correct it there$/,
    code: 64,
  },
  {
    fault: 'a setting that there is not',
    plant: (right) => ({ env: { ...right, LAUNCHER_AGENT_IMGE: 'a' } }),
    check: 'settings',
    says: /^LAUNCHER_AGENT_IMGE is no setting of this version; did you mean LAUNCHER_AGENT_IMAGE\?$/,
    code: 64,
  },
  {
    fault: 'a right that is missing in AWS',
    plant: async () => {
      const { fake } = ecsBed();
      const { url } = cleanup.use(await serve(fake));
      fake.account.permissions.denied.add('ecs:StopTask');
      const env = {
        ...GOOD_ENV,
        AWS_ENDPOINT_URL: url,
        AWS_REGION: fake.account.region,
        AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
        AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
        LAUNCHER_DRIVER: 'ecs',
        LAUNCHER_ECS_CLUSTER: CLUSTER,
        LAUNCHER_ECS_TASK_DEFINITION: TEMPLATE,
        LAUNCHER_ECS_SUBNETS: 'subnet-a',
        LAUNCHER_GATEWAY_URL: 'ws://launcher.internal:8083',
        LAUNCHER_TASK_LIVEKIT_URL: 'ws://livekit.internal:7880',
      };
      return { env, args: ['--ask-engine'] };
    },
    check: 'engine',
    says: /^ECS, cluster rooms in us-east-1 \(AccessDeniedException\): .* not authorized to perform: ecs:StopTask on resource: /,
  },
];

describeWith('livekit', 'docker')('the doctor finds', () => {
  beforeAll(async () => {
    ports = await freeLauncherPorts();
    mistrusted = await freeLauncherPorts();
  });
  bed = livekitServer(async () => {
    const host = await hostOnBridge();
    const signer = await otherSigner(lasting, () => webhookUrlOf(mistrusted));
    return {
      bindAddresses: ['127.0.0.1', host],
      nodeIp: host,
      webhookUrls: [webhookUrlOf(ports), `http://127.0.0.1:${signer}/webhook`],
    };
  });
  afterEach(() => cleanup.run());
  afterAll(async () => {
    await removeDeployment(deployment);
    await lasting.run();
  });

  test.each([...SETTINGS, ...LIVEKIT, ...TASKS])(
    '$fault',
    { timeout: TEST_MS },
    async ({ plant, check, says, remedy, outcome = 'wrong', also = [], code = 1 }) => {
      const right = rightSettings(bed(), deployment, ports);
      const { env, args = [], uid } = await plant(right);
      const end = await diagnose(args, env, uid === undefined ? {} : { uid });
      const expected = { outcome, text: expect.stringMatching(says) };
      expect(end.troubles(check)).toContainEqual(
        remedy
          ? { ...expected, remedy: expect.stringMatching(remedy) }
          : expect.objectContaining(expected),
      );
      const found = [...(outcome === 'wrong' ? [check] : []), ...also];
      expect(new Set(end.wrongChecks)).toEqual(new Set(found));
      expect(end.code).toBe(code);
      expect(end.printed).not.toContain(right['LIVEKIT_API_SECRET']);
    },
  );
});

describe('planted faults', () => {
  test('are fifteen or more', () => {
    expect(SETTINGS.length + LIVEKIT.length + TASKS.length).toBeGreaterThanOrEqual(15);
  });
});
