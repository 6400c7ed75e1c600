/**
 * Memory of what waits for a room and of what serves one: a kind at a time, so that no other one
 * shares its pages. Other users' processes are looked into, which root alone may.
 */
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { Bed } from './bed.mjs';
import { GROUPS, WAYS } from './names.mjs';
import { containers } from './launcher-way.mjs';
import { createToActive, told } from './rounds.mjs';
import { jsWorker, pythonWorker } from './worker.mjs';

/** For what a start has left behind to be freed. */
const SETTLE_MS = 2_000;

function standby(image, own) {
  return (bed, name) => containers(bed, name, { image, own, standby: 1 });
}

/** Workers with one idle process each, and launchers with one standby. */
function kinds({ own, javascript, python }) {
  return {
    jsWorker: (bed, name) => jsWorker(bed, name, { idle: 1 }),
    pythonWorker: (bed, name) => pythonWorker(bed, name, { idle: 1 }),
    standbyBridge: standby(own, true),
    jsStandby: standby(javascript, false),
    pythonStandby: standby(python, false),
  };
}

/** Each kind that is wanted, by its key in `WAYS`, `n` times. */
export async function memory(outer, images, n, isWanted, run) {
  if (process.getuid() !== 0) return run.progress('without memory: reading it takes root');
  const wanted = Object.entries(kinds(images)).filter(([key]) => isWanted(key));
  for (let round = 0; round < n; round += 1) {
    for (const [key, start] of wanted) {
      const bed = new Bed();
      await outer.defer(() => bed.end());
      try {
        const way = await start(bed, WAYS[key]);
        await told(way, () => measure(way, run));
        run.progress(`memory, round ${round + 1} of ${n}: ${way.name}`);
      } finally {
        await bed.end();
      }
    }
  }
}

async function measure(way, run) {
  await way.settled();
  await sleep(SETTLE_MS);
  const idle = (await way.idleUnit()).pssMiB();
  const room = await createToActive(way, 'memory');
  const unit = await way.unitOf(room);
  await way.settled();
  await sleep(SETTLE_MS);
  const busy = unit.pssMiB();
  run.figures.add(GROUPS.idle, way.name, 'MiB', idle);
  run.figures.add(GROUPS.busy, way.name, 'MiB', busy);
}
