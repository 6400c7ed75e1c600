/**
 * What the dashboard costs; needs a build, a LiveKit server and a Chromium.
 *
 *     node test/bench/dashboard.mjs [--rooms 200] [--seconds 20]
 *
 * First the launcher, in a process of its own (`dashboard-launcher.mjs`), with live rooms of a real
 * server: at rest, looked at by one browser, by many, and while rooms come and go. Then the pages over
 * a thousand rooms that are made up: the time for one update in the launcher, and in the browser.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RoomServiceClient } from 'livekit-server-sdk';
import { EMPTY, patchOf } from '../../dist/launcher/admin/dashboard/board.js';
import { OverviewBoard } from '../../dist/launcher/admin/dashboard/overview-board.js';
import { findLiveKitServer } from '../../dist/launcher/dev/livekit-binary.js';
import { startLiveKitServer } from '../../dist/launcher/dev/livekit-server.js';
import { freeTcpPorts } from '../../dist/launcher/dev/ports.js';
import { startBrowser } from '../support/browser.mjs';
import { World } from '../support/dashboard-world.mjs';

const { values } = parseArgs({
  options: {
    rooms: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '20' },
  },
});
const LAUNCHER = fileURLToPath(new URL('dashboard-launcher.mjs', import.meta.url));
const MANY = 20;
const UPDATES = 100;
const sleep = (ms) => new Promise((resolve) => void setTimeout(resolve, ms));
const say = (what, ...cells) =>
  console.log(what.padEnd(44) + cells.map((c) => c.padStart(14)).join(''));

/** Of this process: its own work, whatever else the machine does. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function median(all) {
  return all.toSorted((a, b) => a - b)[all.length >> 1];
}

/** CPU and memory of the launcher over some seconds. */
async function measured(what, launcher, during = () => sleep(Number(values.seconds) * 1_000)) {
  const ask = async () => {
    launcher.send('usage');
    return (await once(launcher, 'message'))[0];
  };
  const before = await ask();
  await during();
  const after = await ask();
  const share = (100 * (after.cpuMs - before.cpuMs)) / (after.at - before.at);
  say(what, `${share.toFixed(1)} %`, `${Math.round(after.rss / 2 ** 20)} MiB`);
}

/** A line that reads and throws away; the answer ends it. */
function reader(url) {
  const end = new AbortController();
  const reading = async () => {
    const { body } = await fetch(`${url}/dashboard/live`, { signal: end.signal });
    for await (const _ of body) void _;
  };
  reading().catch(() => {});
  return end;
}

async function launcherPart(browser) {
  const [webhookPort] = await freeTcpPorts(1);
  const bin = await findLiveKitServer({ env: process.env, progress: console.error });
  const webhookUrls = [`http://127.0.0.1:${webhookPort}/webhook`];
  const server = await startLiveKitServer({ bin, env: process.env, webhookUrls });
  const secret = server.apiSecret.reveal();
  const rooms = new RoomServiceClient(server.url.replace('ws', 'http'), server.apiKey, secret);
  const options = { url: server.url, apiKey: server.apiKey, secret, webhookPort };
  const launcher = fork(LAUNCHER, [JSON.stringify(options)]);
  try {
    const [{ port }] = await once(launcher, 'message');
    const url = `http://127.0.0.1:${port}`;
    for (let i = 0; i < Number(values.rooms); i += 1) {
      await rooms.createRoom({ name: `bench-${i}`, emptyTimeout: 3_600 });
    }
    const serving = async () => {
      const all = await (await fetch(`${url}/api/rooms`)).json();
      return all.filter(({ state }) => state === 'serving').length;
    };
    while ((await serving()) < Number(values.rooms)) await sleep(200);
    await sleep(2_000);
    say(`${values.rooms} live rooms, one LiveKit server`, 'CPU of a core', 'memory');
    await measured('nobody looks', launcher);
    const page = await browser.newPage();
    await page.goto(url);
    await page.locator('body[data-seen]').waitFor();
    await measured('one browser looks', launcher);
    const readers = Array.from({ length: MANY }, () => reader(url));
    await measured(`${MANY} more look`, launcher);
    const churn = async () => {
      for (let i = 0; i < Number(values.seconds); i += 1) {
        await rooms.createRoom({ name: `more-${i}`, emptyTimeout: 3_600 });
        if (i > 2) await rooms.deleteRoom(`more-${i - 3}`);
        await sleep(1_000);
      }
    };
    await measured(`the same, a room comes and one goes each second`, launcher, churn);
    for (const end of readers) end.abort();
    await page.close();
    await measured('rooms come and go, nobody looks', launcher, churn);
  } finally {
    launcher.disconnect();
    await server.stop();
  }
}

async function thousandPart(browser) {
  const world = new World();
  const nowMs = Date.now();
  for (let i = 0; i < 1_000; i += 1) world.open(nowMs - (1_000 - i) * 2_000);
  const board = new OverviewBoard(world.host(), Date.now);
  let before = EMPTY;
  const steps = [];
  do {
    const startMs = cpuMs();
    before = board.board({});
    steps.push(cpuMs() - startMs);
  } while (before.behind);
  const whole = JSON.stringify(patchOf(EMPTY, before));
  const times = [];
  const bytes = [];
  const change = (i) => {
    world.rooms[(i * 7) % 1_000].participants += 1;
    world.open(Date.now());
  };
  for (let i = 0; i < UPDATES; i += 1) {
    change(i);
    const startMs = cpuMs();
    const after = board.board({});
    bytes.push(JSON.stringify(patchOf(before, after)).length);
    times.push(cpuMs() - startMs);
    before = after;
  }
  console.log('\n1,000 rooms, each update: one room changes, one comes');
  say(
    'looked at first: steps, the longest',
    String(steps.length),
    `${Math.max(...steps).toFixed(0)} ms`,
  );
  say('the whole, as a browser gets it', `${Math.round(whole.length / 1e3)} kB`);
  const kB = `${(median(bytes) / 1e3).toFixed(1)} kB`;
  say('an update in the launcher, median', `${median(times).toFixed(1)} ms`, kB);
  say('an update in the launcher, longest', `${Math.max(...times).toFixed(1)} ms`);

  const listener = await world.listen();
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${listener.port}/`);
    await page.locator('body[data-seen]').waitFor();
    await sleep(1_000);
    const probe = await page.context().newCDPSession(page);
    await probe.send('Performance.enable');
    const spent = async () => {
      const { metrics } = await probe.send('Performance.getMetrics');
      const of = (name) => metrics.find((metric) => metric.name === name).value;
      const seen = Number(await page.locator('body').getAttribute('data-seen'));
      return { ms: of('TaskDuration') * 1_000, bytes: of('JSHeapUsedSize'), seen };
    };
    await page.evaluate(`window.long = []; new PerformanceObserver((list) =>
      window.long.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ entryTypes: ['longtask'] })`);
    const first = await spent();
    for (let i = 0; i < 40; i += 1) {
      change(i);
      world.tell(Date.now(), 'run.fail', { sid: world.rooms[i].sid, reason: 'bench' });
      await sleep(300);
    }
    const last = await spent();
    const each = (last.ms - first.ms) / (last.seen - first.seen);
    const long = await page.evaluate('window.long');
    const heap = `${Math.round(last.bytes / 2 ** 20)} MiB`;
    say('an update in the browser, main thread', `${each.toFixed(1)} ms`, heap);
    say(
      'tasks of more than 50 ms in the browser',
      String(long.length),
      `${Math.max(0, ...long).toFixed(0)} ms`,
    );
  } finally {
    await listener.close();
  }
}

const browser = await startBrowser();
try {
  await launcherPart(browser);
  await thousandPart(browser);
} finally {
  await browser.close();
}
