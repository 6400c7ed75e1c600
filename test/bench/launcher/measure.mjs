/**
 * The launcher alone: how many webhooks it verifies on one core and how soon it answers, what a pass
 * over a changed room costs beside thousands of others, a thousand workers at the gateway, and its
 * memory. By itself: `node test/bench/launcher/measure.mjs [--quick]`. Needs a build and taskset.
 *
 * Nothing but the launcher is on its core; on a machine with other work the figures by its CPU time
 * are the ones to compare.
 */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  DEPLOYMENT,
  GATEWAY_SECRET,
  LAUNCHER_CORE,
  pinned,
  startLauncher,
  startLiveKit,
  until,
} from './processes.mjs';

const FULL = {
  runs: 5,
  seconds: 2,
  starts: 5,
  rooms: 1_000,
  passesAt: [100, 1_000, 10_000],
  changes: 300,
  pools: 10,
};
const QUICK = {
  runs: 1,
  seconds: 0.5,
  starts: 1,
  rooms: 50,
  passesAt: [100],
  changes: 20,
  pools: 1,
};
const CONNECTIONS = 32;
/** Webhooks a second at which answers are timed: far from what it can take, and far above any project. */
const TALK_PACE = 1_000;
const LIFE_PACE = 100;
const STANDBYS = 100;
const SERVED_LIMIT_MS = 300_000;

/** Rows of `{ group, name, unit, values, note? }`, each with all that was measured. */
export async function measureLauncher({ quick = false } = {}) {
  const size = quick ? QUICK : FULL;
  return [
    ...(await webhooks(size)),
    ...(await passes(size)),
    ...(await gateway(size)),
    ...(await memory(size)),
  ];
}

/** Runs `work` with a LiveKit of so many rooms and a launcher that serves them all. */
async function serving({ rooms = 0, config }, work) {
  const livekit = await startLiveKit();
  let launcher;
  try {
    await livekit.do('rooms', { count: rooms });
    launcher = await startLauncher(livekit.port, { config });
    const served = async () => (await livekit.do('looked')) >= rooms;
    await until('all rooms are served', SERVED_LIMIT_MS, served);
    return await work({ livekit, launcher });
  } finally {
    await launcher?.end();
    await livekit.end();
  }
}

async function webhooks(size) {
  const alone = await serving({}, (bed) => load(bed, size, 'verified alone', { kind: 'tracks' }));
  const name = `${size.rooms} live rooms`;
  return serving({ rooms: size.rooms }, async (bed) => [
    ...alone,
    ...(await load(bed, size, `${name}, people come and go`, { kind: 'talk' })),
    ...(await load(bed, size, `${name}, people come and go`, {
      kind: 'talk',
      perSecond: TALK_PACE,
    })),
    ...(await load(bed, size, `${name}, whole lives`, { kind: 'lives', perSecond: LIFE_PACE })),
    ...(await load(bed, size, `${name}, whole lives`, { kind: 'lives' })),
  ]);
}

/** As many as it takes, or `perSecond`; the first run warms up and is left out. */
async function load({ livekit, launcher }, { runs, seconds }, name, how) {
  const row = (what, unit) => ({ group: 'webhooks', name: `${name}: ${what}`, unit, values: [] });
  const at = how.perSecond ? ` at ${how.perSecond}/s` : ' at full load';
  const rate = row('answered', '1/s');
  const byCpu = row("answered per second of the launcher's CPU", '1/s');
  const half = row(`answer, median${at}`, 'ms');
  const tail = row(`answer, p99${at}`, 'ms');
  for (let run = 0; run <= runs; run += 1) {
    const before = await launcher.cpuMs();
    const did = await livekit.do('load', {
      port: launcher.webhook,
      connections: CONNECTIONS,
      seconds,
      ...how,
    });
    const cpuMs = (await launcher.cpuMs()) - before;
    if (did.refused > 0) throw new Error(`${did.refused} good webhooks were refused`);
    if (run === 0) continue;
    rate.values.push(did.count / did.inSeconds);
    byCpu.values.push((did.count / cpuMs) * 1_000);
    half.values.push(did.p50);
    tail.values.push(did.p99);
  }
  return how.perSecond ? [half, tail] : [rate, byCpu, half, tail];
}

async function passes({ passesAt, changes }) {
  const rows = [];
  const bench = pinned(LAUNCHER_CORE, 'passes.mjs');
  try {
    // V8 compiles meanwhile what it will run; it leaves fewer rooms than are measured first.
    const warmUp = Math.floor(passesAt[0] / 4);
    await bench.ask({ count: warmUp, changes: warmUp });
    for (const count of passesAt) {
      const { result } = await bench.ask({ count, changes });
      const row = (what, values, note) =>
        rows.push({
          group: 'passes',
          name: `${what}, ${count} rooms`,
          unit: 'µs CPU',
          values,
          note,
        });
      row("a room's agent has come", result.joined);
      row('a room has begun: launch', result.started);
      row('list of all tasks', result.listed, 'shared by all passes that wait for one');
      const name = `resident, reconciler, rooms and engine in one process, ${count} rooms`;
      rows.push({ group: 'memory', name, unit: 'MB', values: [result.rssBytes / 1e6] });
    }
  } finally {
    await bench.end();
  }
  return rows;
}

/** Standbys wait for rooms: each worker dials, registers and stays. */
async function gateway({ pools }) {
  const profiles = Array.from({ length: pools }, (_, n) => {
    const match = { room: `pool-${n}-*` };
    return { name: `pool-${n}`, match, image: 'agent:bench', standby: STANDBYS };
  });
  const sockets = pools * STANDBYS;
  return serving({ config: { profiles } }, async ({ livekit, launcher }) => {
    const keys = await until('all standbys are launched', SERVED_LIMIT_MS, async () => {
      const answer = await fetch(`http://127.0.0.1:${launcher.admin}/api/tasks`);
      const tasks = await answer.json();
      return tasks.length >= sockets && tasks.map(({ key }) => key);
    });
    const residentMB = async (when) =>
      ofGateway(`resident, ${sockets} workers ${when}`, 'MB', [(await launcher.rssBytes()) / 1e6]);
    const launched = await residentMB('launched');
    const cpuMs = await launcher.cpuMs();
    const how = { port: launcher.gateway, gatewaySecret: GATEWAY_SECRET, deployment: DEPLOYMENT };
    const tookMs = await livekit.do('dialAll', { ...how, keys });
    return [
      ofGateway(`${sockets} workers, 50 at a time: dial to registered`, 'ms', tookMs),
      ofGateway('CPU of a registration', 'ms', [((await launcher.cpuMs()) - cpuMs) / sockets]),
      launched,
      await residentMB('registered'),
    ];
  });
}

function ofGateway(name, unit, values) {
  return { group: 'gateway', name, unit, values };
}

async function rss(count, times) {
  const values = [];
  for (let n = 0; n < times; n += 1) {
    const bytes = await serving({ rooms: count }, ({ launcher }) => launcher.rssBytes());
    values.push(bytes / 1e6);
  }
  return { group: 'memory', name: `resident, ${count} live rooms`, unit: 'MB', values };
}

async function memory({ starts, rooms }) {
  return [await rss(0, starts), await rss(rooms, starts)];
}

function text({ group, name, unit, values, note }) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
  const figures = [0.5, 0, 0.95].map((share) => at(share).toPrecision(4)).join(', ');
  const said = `${group}: ${name}: ${figures} ${unit} (median, least, p95; n=${values.length})`;
  return note ? `${said}; ${note}` : said;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
  for (const row of await measureLauncher(values)) console.log(text(row));
}
