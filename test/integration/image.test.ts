/** The runner's image, as `npm run image` built it: what it holds, what not, and a whole job. */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { ParticipantInfo_State } from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentIdentity, type RoomSid } from '../../launcher/core/room.ts';
import { join } from '../../launcher/dev/participant.ts';
import { roomToken } from '../../launcher/livekit/token.ts';
import { FakeGateway } from '../fakes/gateway.ts';
import { Cleanup } from '../support/cleanup.ts';
import {
  AGENT_IMAGE,
  docker,
  HARDENED,
  startContainer,
  taskEnv,
} from '../support/agent-container.ts';
import { describeWith } from '../support/left-out.ts';
import { livekitServer } from '../support/livekit-server.ts';
import { waitFor } from '../support/wait.ts';

const KEY = 'r-RM_thisRoom-1';
const EXAMPLE = 'dist/agent-image/examples/agent.js';
const BASE_LABEL = 'org.opencontainers.image.base.name';

interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

let cleanup: Cleanup;
beforeEach(() => {
  cleanup = new Cleanup();
});
afterEach(() => cleanup.run());

describeWith('docker')('agent image', () => {
  test('starts our runner by itself, as no root', async () => {
    const config = await configOf(AGENT_IMAGE);
    expect(config.User).toBe('10001:10001');
    expect(config.Labels['room-launcher.runner']).toBe('1');
    const main = '/app/dist/agent-image/main.js';
    expect(config.Entrypoint).toEqual(['node', '--min-semi-space-size=2', main]);
    expect(config.Cmd).toEqual([EXAMPLE]);
    const inherited = (await configOf(await baseImage())).Env;
    expect(config.Env.filter((one) => !inherited.includes(one)).toSorted()).toEqual([
      'HOME=/tmp',
      'NODE_ENV=production',
      'SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt',
    ]);
  });

  test('holds the dependencies of the runner, not those of the launcher or of the build', async () => {
    const list = `console.log(fs.readdirSync('/app/node_modules').join())`;
    const names = (await docker(...nodeIn(AGENT_IMAGE), '-e', list)).split(',');
    expect(names).toContain('livekit-server-sdk');
    for (const other of ['hono', 'dockerode', 'yaml', 'typescript', 'vitest', 'oxlint']) {
      expect(names).not.toContain(other);
    }
  });

  test('no layer holds a CA that only this machine has', async () => {
    const needles = (await privateCas()).map(([, middle = '']) => Buffer.from(middle));
    const folder = await mkdtemp(joinPath(tmpdir(), 'image-'));
    cleanup.defer(() => rm(folder, { recursive: true }));
    const archive = joinPath(folder, 'image.tar');
    await docker('save', '--output', archive, AGENT_IMAGE);
    await promisify(execFile)('tar', ['-C', folder, '-xf', archive]);
    await rm(archive);
    let layers = 0;
    for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const raw = await readFile(joinPath(entry.parentPath, entry.name));
      const bytes = raw.readUInt16BE(0) === 0x1f8b ? gunzipSync(raw) : raw;
      if (bytes.includes('app/node_modules/@livekit/agents/package.json')) layers += 1;
      expect(needles.filter((needle) => bytes.includes(needle))).toEqual([]);
    }
    expect(layers, 'layers that were looked into').toBeGreaterThan(0);
  });

  test('no step of its history names a secret or a bundle', async () => {
    const history = await docker(
      'history',
      '--no-trunc',
      '--format',
      '{{.CreatedBy}}',
      AGENT_IMAGE,
    );
    expect(history).toContain('ENTRYPOINT');
    expect(history).not.toMatch(/secret|NODE_EXTRA_CA_CERTS|_authToken/i);
  });

  test('trusts the public CAs, and its user has a name', async () => {
    const code = `
      const pem = fs.readFileSync(process.env.SSL_CERT_FILE, 'utf8');
      console.log(pem.split('BEGIN CERTIFICATE').length > 50, os.userInfo().username);`;
    expect(await docker(...nodeIn(AGENT_IMAGE), '-e', code)).toBe('true agent');
  });

  test('has its example bundled, and not what bundles it', async () => {
    const run = ['run', '--rm', '--network', 'none', '--entrypoint', 'node', AGENT_IMAGE];
    const checked = await docker(...run, 'dist/agent-image/check.js', EXAMPLE);
    expect(checked).not.toContain('not bundled');
    const places = ['node_modules', 'dist/node_modules'].map((one) => `/app/${one}/esbuild/lib`);
    const code = `console.log(${JSON.stringify(places)}.map(fs.existsSync).join())`;
    expect(await docker(...nodeIn(AGENT_IMAGE), '-e', code)).toBe('false,false');
  });

  test('says that it starts without a bundle that is older than its agent', async () => {
    const gateway = cleanup.use(await FakeGateway.start(KEY));
    const here = fileURLToPath(
      new URL('../../dist/agent-image/examples/agent.js', import.meta.url),
    );
    const newer = ['--network', 'host', '--volume', `${here}:/app/${EXAMPLE}:ro`];
    const container = cleanup.use(
      startContainer([...HARDENED, ...taskEnv(gateway), ...newer, AGENT_IMAGE]),
    );
    (await gateway.line()).terminate();
    expect(await container.exit).toBe(0);
    expect(container.output()).toContain('bundle is stale');
  });

  test('an agent file that is missing is exit code 64', async () => {
    const gateway = cleanup.use(await FakeGateway.start(KEY));
    const container = cleanup.use(
      startContainer([...HARDENED, ...taskEnv(gateway), AGENT_IMAGE, 'missing.js']),
    );
    expect(await container.exit).toBe(64);
    expect(container.output()).toContain('missing.js');
  });
});

describeWith('livekit')('a job in a container', () => {
  const livekit = livekitServer();

  describeWith('docker')('of the agent image', () => {
    test('hardened and without a shell: greets, and ends with its room', async () => {
      const { rooms, apiKey, apiSecret, url } = livekit();
      const gateway = cleanup.use(await FakeGateway.start(KEY));
      const noShell = ['--mount', 'type=bind,src=/dev/null,dst=/bin/sh,readonly'];
      const task = [...HARDENED, ...noShell, '--network', 'host', ...taskEnv(gateway)];
      const container = cleanup.use(startContainer([...task, AGENT_IMAGE]));

      const room = await rooms.createRoom({ name: 'room' });
      const sid = room.sid as RoomSid;
      const request = { sid, roomName: room.name, taskKey: KEY, agentName: '' };
      const token = await roomToken({ apiKey, apiSecret }, request);
      const line = await gateway.line();
      const job = { url, token, room: { sid, name: room.name } };
      expect(await line.offer(job)).toBe(true);
      line.assign(job);
      await waitFor('the agent in the room', async () => {
        const present = await rooms.listParticipants(room.name);
        return present.some(({ state }) => ParticipantInfo_State[state] === 'ACTIVE');
      });

      const chats: string[] = [];
      const guest = new AccessToken(apiKey, apiSecret.reveal(), { identity: 'guest' });
      guest.addGrant({ roomJoin: true, room: room.name });
      cleanup.use(
        await join({
          url,
          token: await guest.toJwt(),
          agentIdentity: agentIdentity(sid),
          toneHz: 440,
          on: { agent() {}, chat: (text) => chats.push(text), tone() {} },
        }),
      );
      await waitFor('the greeting', () => chats.some((text) => text.includes('Hello, guest')));
      await rooms.deleteRoom(room.name);
      expect(await container.exit).toBe(0);
      expect(container.output()).not.toContain(token);
      expect(await docker('inspect', container.name)).not.toContain(token);
      expect(gateway.complaints).toEqual([]);
    });
  });
});

async function configOf(image: string): Promise<ImageConfig> {
  const config: ImageConfig = JSON.parse(
    await docker('image', 'inspect', '--format', '{{json .Config}}', image),
  );
  return config;
}

function nodeIn(image: string): string[] {
  return ['run', '--rm', '--network', 'none', '--entrypoint', 'node', image];
}

/** What it was built on. */
async function baseImage(): Promise<string> {
  return (await configOf(AGENT_IMAGE)).Labels[BASE_LABEL] ?? '';
}

/**
 * The certificates that the build was handed and that the base image does not have, each as the
 * lines of its PEM. None on a machine without a private CA.
 */
async function privateCas(): Promise<string[][]> {
  const { NODE_EXTRA_CA_CERTS, SSL_CERT_FILE } = process.env;
  const file = NODE_EXTRA_CA_CERTS || SSL_CERT_FILE;
  if (!file || !existsSync(file)) return [];
  const code = `
    const file = '/etc/ssl/certs/ca-certificates.crt';
    if (fs.existsSync(file)) console.log(fs.readFileSync(file, 'utf8'));
    console.log(tls.rootCertificates.join('\\n'));`;
  const known = certificates(await docker(...nodeIn(await baseImage()), '-e', code)).map(
    fingerprint,
  );
  return certificates(readFileSync(file, 'utf8'))
    .filter((pem) => !known.includes(fingerprint(pem)))
    .map((pem) => pem.split('\n').slice(4));
}

function certificates(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}
