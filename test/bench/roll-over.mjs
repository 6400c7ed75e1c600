/**
 * `npm run bench:roll-over`: from SIGTERM to the next launcher on the same ports, with a live room
 * and its task (process engine) and a stream of webhooks. `--rounds N`, 12 by default. Needs a build.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RoomServiceClient } from 'livekit-server-sdk';
import { killLeftovers } from '../../dist/launcher/dev/leftovers.js';
import { findLiveKitServer } from '../../dist/launcher/dev/livekit-binary.js';
import { startLiveKitServer } from '../../dist/launcher/dev/livekit-server.js';
import { freeTcpPorts } from '../../dist/launcher/dev/ports.js';

const LIMIT_MS = 30_000;
const POLL_MS = 4;
const main = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '12' } } });
const [webhook, gateway, admin] = await freeTcpPorts(3);
const state = mkdtempSync(join(tmpdir(), 'room-launcher-bench-'));
const bin = await findLiveKitServer({ env: process.env, progress: console.error });
const webhookUrls = [`http://127.0.0.1:${webhook}/webhook`];
const server = await startLiveKitServer({ bin, env: process.env, webhookUrls });
const secret = server.apiSecret.reveal();
const rooms = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, secret);
const adminUrl = `http://127.0.0.1:${admin}`;
const { PATH, HOME } = process.env;
const env = {
  PATH,
  HOME,
  LIVEKIT_URL: server.url,
  LIVEKIT_API_KEY: server.apiKey,
  LIVEKIT_API_SECRET: secret,
  LAUNCHER_DRIVER: 'process',
  LAUNCHER_DEPLOYMENT: 'bench',
  LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${webhook}`,
  LAUNCHER_GATEWAY_LISTEN: `127.0.0.1:${gateway}`,
  LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${admin}`,
  XDG_STATE_HOME: state,
};

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const start = () => spawn(process.execPath, [main, 'serve'], { env, stdio: 'ignore' });

async function until(probe) {
  const endMs = performance.now() + LIMIT_MS;
  while (!(await probe().catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`not within ${LIMIT_MS} ms: ${probe}`);
    await sleep(POLL_MS);
  }
  return performance.now();
}
const hears = async () => (await fetch(webhookUrls[0], { method: 'POST' })).status === 401;
const ready = async () => (await fetch(`${adminUrl}/readyz`)).ok;
const adopted = async () => {
  const tasks = await (await fetch(`${adminUrl}/api/tasks`)).json();
  return tasks.some(({ socket, phase }) => phase === 'running' && socket === 'assigned');
};

const times = { exit: [], hears: [], ready: [], adopted: [] };
let launcher = start();
const load = new AbortController();
const loading = (async () => {
  while (!load.signal.aborted) {
    await hears().catch(() => {});
    await sleep(5);
  }
})();
try {
  await until(ready);
  await rooms.createRoom({ name: 'bench', emptyTimeout: 3_600 });
  await until(adopted);
  for (let n = 0; n < Number(values.rounds); n++) {
    const ended = once(launcher, 'exit');
    const sentMs = performance.now();
    launcher.kill('SIGTERM');
    await ended;
    times.exit.push(performance.now() - sentMs);
    launcher = start();
    times.hears.push((await until(hears)) - sentMs);
    times.ready.push((await until(ready)) - sentMs);
    times.adopted.push((await until(adopted)) - sentMs);
  }
  console.log('ms after SIGTERM               median     min     max');
  for (const [name, all] of Object.entries(times)) {
    const sorted = all.toSorted((a, b) => a - b);
    const middle = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
    const cells = [middle, sorted[0], sorted.at(-1)].map((ms) => ms.toFixed(0).padStart(8));
    console.log(`${name.padEnd(29)}${cells.join('')}   n=${sorted.length}`);
  }
} finally {
  load.abort();
  await loading;
  launcher.kill('SIGTERM');
  if (launcher.exitCode === null) await once(launcher, 'exit');
  await killLeftovers(join(state, 'room-launcher', 'bench'));
  await server.stop();
  rmSync(state, { recursive: true, force: true });
}
