/**
 * `npm run bench:kinds`: ordinary agents' images and our runner's beside each other, each in
 * containers on a bridge, with a LiveKit server and a launcher of its own, taking turns: CreateRoom to
 * the agent ACTIVE, launched for the room and by a standby; DeleteRoom to the container gone; and
 * memory (PSS, as root) of a standby and while serving. Nothing else starts while one is measured.
 * Calls last longer than the ten seconds in which a new worker's SIGTERM waits. `--rooms N` rooms
 * each, 10 by default. Needs a build, the three images and an engine.
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

async function coldRound(ways, name) {
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

/** When all pools are full, nothing starts any more: the key of this way's standby. */
async function standbyOf(ways, wanted) {
  for (const each of ways) await until(`${each.name}: a standby`, () => readyStandby(each));
  return (await readyStandby(wanted)).key;
}

async function readyStandby({ tasks }) {
  return (await tasks()).find(({ standby }) => standby === 'ready');
}

async function warmRound(ways, name) {
  for (const each of ways) {
    const key = await standbyOf(ways, each);
    await sleep(REST_MS);
    const container = docker.getContainer(`${each.deployment}.${key}`);
    each.idle.push(await pssOf(container.id));
    each.times.push(await createToActive(each, name));
    await sleep(CALL_MS);
    const sentMs = performance.now();
    await each.rooms.deleteRoom(name);
    const gone = async () => !(await container.inspect()).State.Running;
    each.gone.push((await until(`${each.name}: no container`, gone)) - sentMs);
  }
}

async function waysOf(settings) {
  const ways = [];
  for (const [name, image] of Object.entries(images)) {
    const own = { LAUNCHER_DRIVER: 'docker', LAUNCHER_AGENT_IMAGE: image, ...settings };
    const each = await way(name, launcher(own), bridge);
    ways.push({ ...each, image, serving: [], gone: [], idle: [] });
  }
  return ways;
}

/** The first round is for caches and networks: it does not count. */
async function measure(ways, playRound) {
  await playRound(ways, 'first');
  for (const each of ways)
    for (const list of [each.times, each.gone, each.serving, each.idle]) list.length = 0;
  for (let n = 0; n < Number(values.rooms); n++) {
    await playRound(ways, `bench-${n}`);
    console.error(`round ${n + 1} of ${values.rooms}`);
  }
}

function print(title, ways, of) {
  console.log(`${title.padEnd(52)}  median     min     max`);
  for (const each of ways) console.log(`  ${each.name.padEnd(50)}${columns(of(each))}`);
}

try {
  const cold = await waysOf({});
  await measure(cold, coldRound);
  const warm = await waysOf({ LAUNCHER_STANDBY: '1' });
  await measure(warm, warmRound);
  print('CreateRoom to agent ACTIVE, launched for it, ms', cold, ({ times }) => times);
  print('CreateRoom to agent ACTIVE, by a standby, ms', warm, ({ times }) => times);
  print('DeleteRoom to container gone, ms', cold, ({ gone }) => gone);
  print('DeleteRoom to container gone, a standby, ms', warm, ({ gone }) => gone);
  print('memory of a serving container, PSS, MiB', cold, ({ serving }) => serving);
  print('memory of a standby, PSS, MiB', warm, ({ idle }) => idle);
} finally {
  for (const step of undo.toReversed()) await step();
}
