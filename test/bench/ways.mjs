/**
 * What benchmarks share: ways to serve rooms, each with a LiveKit server of its own, and undoing it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { RoomServiceClient } from 'livekit-server-sdk';
import { gatewayOf } from '../../dist/launcher/dev/docker-engine.js';
import { findLiveKitServer } from '../../dist/launcher/dev/livekit-binary.js';
import { startLiveKitServer } from '../../dist/launcher/dev/livekit-server.js';

const ACTIVE = 2;
const AGENT = 4;
const POLL_MS = 4;
const LIMIT_MS = 60_000;

const main = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url));
export const docker = new Docker();
/** This machine as containers on a bridge see it. */
export const bridge = gatewayOf((await docker.getNetwork('bridge').inspect()).IPAM.Config);
/** Whoever starts something says here how it is undone. */
export const undo = [];

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A LiveKit server, and by `start` what serves its rooms. */
export async function way(name, start, address) {
  const webhook = await freePort();
  const bin = await findLiveKitServer({ env: process.env, progress: console.error });
  const server = await startLiveKitServer({
    bin,
    env: process.env,
    webhookUrls: [`http://127.0.0.1:${webhook}/webhook`],
    ...(address && { bindAddresses: ['127.0.0.1', address], nodeIp: address }),
  });
  undo.push(() => server.stop());
  const secret = server.apiSecret.reveal();
  const env = {
    LIVEKIT_URL: server.url,
    LIVEKIT_API_KEY: server.apiKey,
    LIVEKIT_API_SECRET: secret,
  };
  const more = await start(env, webhook);
  const rooms = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, secret);
  return { name, rooms, server, times: [], ...more };
}

export function child(args, env) {
  const { PATH, HOME } = process.env;
  const vars = { PATH, HOME, NODE_ENV: 'production', ...env };
  const started = spawn(process.execPath, args, { env: vars, stdio: 'ignore' });
  undo.push(async () => {
    started.kill('SIGTERM');
    const ended = started.exitCode === null ? once(started, 'exit') : undefined;
    await Promise.race([ended, sleep(10_000).then(() => started.kill('SIGKILL'))]);
  });
}

export function launcher(settings) {
  return async (livekit, webhook) => {
    const [gateway, admin] = [await freePort(), await freePort()];
    const deployment = `bench-${gateway}`;
    const state = mkdtempSync(join(tmpdir(), 'room-launcher-bench-'));
    undo.push(
      () => rmSync(state, { recursive: true, force: true }),
      () => removeContainers(deployment),
    );
    child([main, 'serve'], {
      ...livekit,
      XDG_STATE_HOME: state,
      LAUNCHER_DEPLOYMENT: deployment,
      LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${webhook}`,
      LAUNCHER_GATEWAY_LISTEN: `0.0.0.0:${gateway}`,
      LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${admin}`,
      ...settings,
    });
    const url = `http://127.0.0.1:${admin}`;
    await until(`${deployment} ready`, async () => (await fetch(`${url}/readyz`)).ok);
    return { deployment, tasks: async () => (await fetch(`${url}/api/tasks`)).json() };
  };
}

async function removeContainers(deployment) {
  const filters = { label: [`room-launcher.deployment=${deployment}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
}

export async function until(what, probe) {
  const endMs = performance.now() + LIMIT_MS;
  for (;;) {
    if (await probe().catch(() => false)) return performance.now();
    if (performance.now() > endMs) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
    await sleep(POLL_MS);
  }
}

function isActiveAgent({ state, kind }) {
  return state === ACTIVE && kind === AGENT;
}

/** Creates a room; resolves with the milliseconds until its agent is active. */
export async function createToActive({ name: who, rooms }, name) {
  const sentMs = performance.now();
  await rooms.createRoom({ name });
  const activeMs = await until(`${who}: an active agent`, async () =>
    (await rooms.listParticipants(name)).some(isActiveAgent),
  );
  return activeMs - sentMs;
}

/** Median, least and most, as columns. */
export function columns(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  return [middle, sorted[0], sorted.at(-1)].map((ms) => ms.toFixed(0).padStart(8)).join('');
}
