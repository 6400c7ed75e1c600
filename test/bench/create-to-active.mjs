/**
 * `npm run bench`: from CreateRoom sent to the agent ACTIVE in the room, one room at a time: the
 * launcher with containers (bridge, host network) and with processes, and LiveKit's own JavaScript
 * worker with its pool warm. Side by side: each way has a LiveKit server of its own, and they take
 * turns. `--rooms N` rooms each, 10 by default. Needs a build, the runner's image and an engine.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  bridge,
  child,
  columns,
  createToActive,
  launcher,
  sleep,
  undo,
  until,
  way,
} from './ways.mjs';

/** For the worker's pool, and for what a room leaves behind, to be done before the next turn. */
const REST_MS = 1_500;

const agent = fileURLToPath(new URL('../../dist/agent-image/examples/agent.js', import.meta.url));
const { values } = parseArgs({ options: { rooms: { type: 'string', default: '10' } } });

async function worker(livekit) {
  child([agent, 'start'], livekit);
  await until('the worker ready', async () => (await fetch('http://127.0.0.1:8081/')).ok);
}

async function oneRoom(each, name) {
  each.times.push(await createToActive(each, name));
  await each.rooms.deleteRoom(name);
  await sleep(REST_MS);
}

function row({ name, times }) {
  return `${name.padEnd(36)}${columns(times)}   n=${times.length}`;
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
