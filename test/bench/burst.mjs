/** Many rooms created at once: when each of them has its agent. */
import { setTimeout as sleep } from 'node:timers/promises';
import { GROUPS } from './names.mjs';
import { atRest, inTurn, told } from './rounds.mjs';

/** One question at a time, alike for all: with many rooms each is looked at less often. */
const POLL_MS = 4;
const LIMIT_MS = 120_000;

/** Each way in turn, `n` times; the ways that are not there are left out. */
export async function bursts(ways, taking, rooms, n, run) {
  for (let round = 0; round < n; round += 1) {
    for (const way of inTurn(taking, round)) {
      await atRest(ways, way, run);
      const times = await told(way, () => burst(way, rooms, `burst-${rooms}-${round}`));
      run.figures.addRun(GROUPS.each(rooms), way.name, 'ms', times);
      run.figures.add(GROUPS.last(rooms), way.name, 'ms', Math.max(...times));
      await told(way, () => way.over());
      run.progress(`${rooms} rooms at once, round ${round + 1} of ${n}: ${way.name}`);
    }
  }
}

async function burst(way, count, prefix) {
  const { rooms: api } = way.livekit;
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  const sentMs = performance.now();
  await Promise.all(names.map((name) => api.createRoom({ name })));
  const times = await activeTimes(way, names, sentMs);
  await Promise.all(names.map((name) => api.deleteRoom(name)));
  return times;
}

async function activeTimes(way, names, sentMs) {
  const waiting = new Set(names);
  const times = [];
  while (waiting.size > 0) {
    for (const name of waiting) {
      if (await way.livekit.hasAgent(name)) {
        waiting.delete(name);
        times.push(performance.now() - sentMs);
      }
      await sleep(POLL_MS);
    }
    if (performance.now() - sentMs > LIMIT_MS)
      throw new Error(`${waiting.size} of ${names.length} rooms without an agent`);
  }
  return times;
}
