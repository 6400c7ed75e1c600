/**
 * `npm run bench:kinds`: ordinary agents' images and our runner's beside each other, each in
 * containers on a bridge, with a LiveKit server and a launcher of its own, taking turns: CreateRoom to
 * the agent ACTIVE, DeleteRoom to the container gone, and memory (PSS, as root) while serving and
 * while idle. Calls last longer than the ten seconds in which a new worker's SIGTERM waits.
 * `--rooms N` rooms each, 10 by default. Needs a build, the three images and an engine.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  bridge,
  columns,
  createToActive,
  docker,
  launcher,
  sleep,
  undo,
  until,
  way,
} from './ways.mjs';

const CALL_MS = 12_000;
const REST_MS = 1_500;
const IDLE_MS = 15_000;
const KIB_PER_MIB = 1_024;

const { values } = parseArgs({ options: { rooms: { type: 'string', default: '10' } } });
const images = {
  'livekit-agents (Python)': 'room-launcher-agent-python:latest',
  '@livekit/agents (JavaScript)': 'room-launcher-agent-javascript:latest',
  'our runner (JavaScript)': 'room-launcher-agent:latest',
};

/** MiB of all processes of a container, shared pages counted once. */
async function pssOf(id) {
  const { Processes } = await docker.getContainer(id).top({ ps_args: '-eo pid,comm' });
  const sizes = Processes.map(async ([pid]) => {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
    return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
  });
  return (await Promise.all(sizes)).reduce((sum, kib) => sum + kib, 0) / KIB_PER_MIB;
}

async function containersOf(image) {
  const rows = await docker.listContainers({ filters: { ancestor: [image] } });
  return rows.filter(({ Labels }) => Labels['room-launcher.deployment']?.startsWith('bench-'));
}

async function round(ways, name) {
  const activeAtMs = [];
  for (const each of ways) {
    each.times.push(await createToActive(each, name));
    activeAtMs.push(performance.now());
  }
  await sleep(Math.max(0, activeAtMs.at(-1) + CALL_MS - performance.now()));
  for (const each of ways) {
    const [container] = await containersOf(each.image);
    each.serving.push(await pssOf(container.Id));
    const sentMs = performance.now();
    await each.rooms.deleteRoom(name);
    const gone = async () => (await containersOf(each.image)).length === 0;
    each.gone.push((await until(`${each.name}: no container`, gone)) - sentMs);
    await sleep(REST_MS);
  }
}

/** A worker that has registered and waits: by LiveKit's own server, which has no room for it now. */
async function idleOf({ image, server }) {
  const env = {
    LIVEKIT_URL: server.url.replace('127.0.0.1', bridge),
    LIVEKIT_API_KEY: server.apiKey,
    LIVEKIT_API_SECRET: server.apiSecret.reveal(),
  };
  const container = await docker.createContainer({
    Image: image,
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    HostConfig: { Init: true },
  });
  undo.push(() => container.remove({ force: true }));
  await container.start();
  await sleep(IDLE_MS);
  const pss = await pssOf(container.id);
  await container.stop({ t: 1 });
  return pss;
}

try {
  const ways = [];
  for (const [name, image] of Object.entries(images)) {
    const settings = { LAUNCHER_DRIVER: 'docker', LAUNCHER_AGENT_IMAGE: image };
    const each = await way(name, launcher(settings), bridge);
    ways.push({ ...each, image, serving: [], gone: [] });
  }
  await round(ways, 'first');
  for (const each of ways)
    for (const list of [each.times, each.gone, each.serving]) list.length = 0;
  for (let n = 0; n < Number(values.rooms); n++) {
    await round(ways, `bench-${n}`);
    console.error(`round ${n + 1} of ${values.rooms}`);
  }
  const print = (title, of) => {
    console.log(`${title.padEnd(48)}  median     min     max`);
    for (const each of ways) console.log(`  ${each.name.padEnd(46)}${columns(of(each))}`);
  };
  print('CreateRoom to agent ACTIVE, cold, ms', ({ times }) => times);
  print('DeleteRoom to container gone, ms', ({ gone }) => gone);
  print('memory of a serving container, PSS, MiB', ({ serving }) => serving);
  for (const each of ways) each.idle = [await idleOf(each)];
  print('memory of an idle container, PSS, MiB', ({ idle }) => idle);
} finally {
  for (const step of undo.toReversed()) await step();
}
