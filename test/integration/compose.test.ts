/** `compose.yaml` as a user deploys it on one machine: the commands of docs/deploy.md, run as they are. */
import { appendFile, copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RoomServiceClient } from 'livekit-server-sdk';
import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { freeTcpPorts, freeUdpPort } from '../../launcher/dev/ports.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { Cleanup } from '../support/cleanup.ts';
import { containerOf, runningNames } from '../support/docker-bed.ts';
import { docker, removeDeployment, uniqueName } from '../support/docker-engine.ts';
import { docCommand } from '../support/doc-commands.ts';
import { describeWith } from '../support/left-out.ts';
import { LIVEKIT_IMAGE, livekitImage } from '../support/livekit-image.ts';
import { servedBy } from '../support/foreign-bed.ts';
import { roomOver } from '../support/served.ts';
import { type ShellEnd, userShell } from '../support/user-shell.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const COMPOSE_FILE = fileURLToPath(new URL('../../compose.yaml', import.meta.url));
const SECTION = 'One machine';
const SERVICE = 'com.docker.compose.service';
const SERVED_MS = 60_000;
const TEST_MS = 150_000;

interface Machine {
  readonly deployment: string;
  readonly server: { readonly url: string; readonly apiKey: string; readonly apiSecret: Secret };
  readonly rooms: RoomServiceClient;
  readonly admin: string;
  /** Adds a line to `.env`. */
  wants(line: string): Promise<void>;
  /** When each service was created. */
  starts(): Promise<Record<string, number>>;
  /** Runs the block of docs/deploy.md that contains this. */
  does(part: string): Promise<ShellEnd>;
}

/** A folder with `compose.yaml` and the `.env` of the docs, on ports that nobody uses. */
async function machine(cleanup: Cleanup): Promise<Machine> {
  const folder = await mkdtemp(join(tmpdir(), 'compose-test-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  await copyFile(COMPOSE_FILE, join(folder, 'compose.yaml'));
  const deployment = uniqueName('box');
  cleanup.defer(() => removeDeployment(deployment));
  const shell = await userShell(folder);
  const [http = 0, tcp = 0, webhook = 0, gateway = 0, admin = 0] = await freeTcpPorts(5);
  const moved = {
    COMPOSE_PROJECT_NAME: deployment,
    LIVEKIT_IMAGE: await livekitImage(cleanup),
    LAUNCHER_DEPLOYMENT: deployment,
    // So long that rooms are served in time by webhooks alone.
    LAUNCHER_RESYNC_SECONDS: 300,
    LIVEKIT_PORT: http,
    LIVEKIT_TCP_PORT: tcp,
    LIVEKIT_UDP_PORT: await freeUdpPort(),
    WEBHOOK_PORT: webhook,
    GATEWAY_PORT: gateway,
    ADMIN_PORT: admin,
  };
  const does = async (part: string) => {
    const block = await docCommand('deploy.md', SECTION, part);
    return shell(
      block
        .replaceAll('127.0.0.1:8082', `127.0.0.1:${admin}`)
        .replace('deployment=default', `deployment=${deployment}`)
        .replace('room-launcher.default', `room-launcher.${deployment}`),
    );
  };
  await does('> .env');
  const envFile = join(folder, '.env');
  const wants = (line: string) => appendFile(envFile, `${line}\n`);
  for (const [name, value] of Object.entries(moved)) await wants(`${name}=${value}`);
  cleanup.defer(() => shell('docker compose down --timeout 2'));
  const [, apiKey = '', secret = ''] =
    /^LIVEKIT_API_KEY=(\S+)\nLIVEKIT_API_SECRET=(\S+)$/m.exec(await readFile(envFile, 'utf8')) ??
    [];
  const server = { url: `ws://127.0.0.1:${http}`, apiKey, apiSecret: new Secret(secret) };
  const rooms = new RoomServiceClient(`http://127.0.0.1:${http}`, apiKey, secret);
  const starts = async () => {
    const rows = await docker.listContainers({ filters: ofProject(deployment) });
    return Object.fromEntries(rows.map(({ Labels, Created }) => [Labels[SERVICE], Created]));
  };
  return { deployment, server, rooms, admin: `http://127.0.0.1:${admin}`, wants, starts, does };
}

function ofProject(name: string) {
  return { label: [`com.docker.compose.project=${name}`] };
}

describeWith(
  'livekit',
  'docker',
  'compose',
)('compose.yaml on one machine', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('serves rooms, and is gone when taken down', { timeout: TEST_MS }, async () => {
    const box = await machine(cleanup);
    await box.does('compose up');
    const ready = async () => (await fetch(`${box.admin}/readyz`)).ok;
    await waitFor('the launcher', ready, SERVED_MS);

    await box.does('compose exec');
    const visitor = cleanup.use(await visit(box.server, 'first'));
    const { key, agent } = await servedBy(box, 'first', 1, SERVED_MS);
    await visitor.asks(agent.identity, 'are you there?');
    const seen = await box.does('/api/rooms');
    expect(seen.stdout).toContain('"state":"serving"');
    expect(seen.stdout).toContain(`${box.deployment}.${key}`);

    await box.wants('LAUNCHER_LOG_LEVEL=debug');
    const before = await box.starts();
    await box.does('compose up');
    const after = await box.starts();
    expect(after['livekit']).toBe(before['livekit']);
    expect(after['launcher']).not.toBe(before['launcher']);
    await visitor.asks(agent.identity, 'still there?');
    expect((await servedBy(box, 'first', 1, SERVED_MS)).agent.sid).toBe(agent.sid);

    await box.rooms.deleteRoom('first');
    await roomOver(box, 'first');
    const end = async () => {
      const { State } = await containerOf(box, key);
      return State.Running ? null : State;
    };
    expect(await waitFor("the agent's end", end, SERVED_MS)).toMatchObject({ ExitCode: 0 });

    await box.rooms.createRoom({ name: 'left-over' });
    await servedBy(box, 'left-over', 1, SERVED_MS);
    await box.does('compose down');
    expect(await runningNames(box)).toEqual([]);
    const filters = ofProject(box.deployment);
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    const networks = await docker.listNetworks({ filters: { name: [box.deployment] } });
    expect(networks).toEqual([]);
  });

  test('starts nothing without keys of its own', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'compose-test-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    await copyFile(COMPOSE_FILE, join(folder, 'compose.yaml'));
    const shell = await userShell(folder);
    const refused = await shell('docker compose up -d').catch((error: unknown) => String(error));
    expect(refused).toContain('docs/deploy.md makes .env');
  });

  test('names the LiveKit server that everything is tested with', async () => {
    const { services } = parse(await readFile(COMPOSE_FILE, 'utf8'));
    expect(services.livekit.image).toBe(`\${LIVEKIT_IMAGE:-${LIVEKIT_IMAGE}}`);
  });
});
