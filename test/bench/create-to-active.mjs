/**
 * `npm run bench`: from CreateRoom sent to the agent ACTIVE in the room, one room at a time: the
 * launcher with containers (bridge, host network) and with processes, and LiveKit's own JavaScript
 * worker with its pool warm. Side by side: each way has a LiveKit server of its own, and they take
 * turns. `--rooms N` rooms each, 10 by default. Needs a build, the runner's image and an engine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { RoomServiceClient } from 'livekit-server-sdk';
import { gatewayOf } from '../../dist/launcher/dev/docker-engine.js';
import { findLiveKitServer } from '../../dist/launcher/dev/livekit-binary.js';
import { startLiveKitServer } from '../../dist/launcher/dev/livekit-server.js';

const ACTIVE = 2;
const AGENT = 4;
const POLL_MS = 4;
const LIMIT_MS = 30_000;
/** For the worker's pool, and for what a room leaves behind, to be done before the next turn. */
const REST_MS = 1_500;

const main = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url));
const agent = fileURLToPath(new URL('../../dist/agent-image/examples/agent.js', import.meta.url));
const { values } = parseArgs({ options: { rooms: { type: 'string', default: '10' } } });
const docker = new Docker();
/** This machine as containers on a bridge see it. */
const bridge = gatewayOf((await docker.getNetwork('bridge').inspect()).IPAM.Config);
const undo = [];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A LiveKit server, and by `start` what serves its rooms. */
async function way(name, start, address) {
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
  await start(env, webhook);
  const rooms = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, secret);
  return { name, rooms, times: [] };
}

function child(args, env) {
  const { PATH, HOME } = process.env;
  const vars = { PATH, HOME, NODE_ENV: 'production', ...env };
  const started = spawn(process.execPath, args, { env: vars, stdio: 'ignore' });
  undo.push(async () => {
    started.kill('SIGTERM');
    const ended = started.exitCode === null ? once(started, 'exit') : undefined;
    await Promise.race([ended, sleep(10_000).then(() => started.kill('SIGKILL'))]);
  });
}

function launcher(settings) {
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
    await until(`${deployment} ready`, async () => {
      return (await fetch(`http://127.0.0.1:${admin}/readyz`)).ok;
    });
  };
}

async function worker(livekit) {
  child([agent, 'start'], livekit);
  await until('the worker ready', async () => (await fetch('http://127.0.0.1:8081/')).ok);
}

async function removeContainers(deployment) {
  const filters = { label: [`room-launcher.deployment=${deployment}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
}

async function until(what, probe) {
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

async function oneRoom({ name: who, rooms, times }, name) {
  const sentMs = performance.now();
  await rooms.createRoom({ name });
  const activeMs = await until(`${who}: an active agent`, async () =>
    (await rooms.listParticipants(name)).some(isActiveAgent),
  );
  times.push(activeMs - sentMs);
  await rooms.deleteRoom(name);
  await sleep(REST_MS);
}

function row({ name, times }) {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  const cells = [middle, sorted[0], sorted.at(-1)].map((ms) => ms.toFixed(0).padStart(8));
  return `${name.padEnd(36)}${cells.join('')}   n=${sorted.length}`;
}

try {
  const containers = {
    LAUNCHER_DRIVER: 'docker',
    LAUNCHER_AGENT_IMAGE: 'room-launcher-agent:latest',
  };
  const onHost = { ...containers, LAUNCHER_DOCKER_NETWORK: 'host' };
  const ways = [
    await way("LiveKit's JavaScript worker, warm", worker),
    await way('launcher, container, bridge', launcher(containers), bridge),
    await way('launcher, container, host network', launcher(onHost)),
    await way('launcher, process', launcher({ LAUNCHER_DRIVER: 'process' })),
  ];
  await sleep(3 * REST_MS);
  for (let n = 0; n < Number(values.rooms); n++) {
    for (const each of ways) await oneRoom(each, `bench-${n}`);
    console.error(`round ${n + 1} of ${values.rooms}`);
  }
  console.log(`${'CreateRoom to agent ACTIVE, ms'.padEnd(36)}  median     min     max`);
  for (const each of ways) console.log(row(each));
} finally {
  for (const step of undo.toReversed()) await step();
}
