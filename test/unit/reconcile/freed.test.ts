/** What a room takes is freed some time after it, however many came before. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Reconciler } from '../../../launcher/reconcile/reconciler.ts';
import { SILENT } from '../../../launcher/lib/log.ts';
import { World } from './world.ts';

/** Of a crowd, each of which comes, is served and ends. */
const ROOMS = 400;
/** Beyond what is kept of a room that is over, and of its task. */
const LONG_AFTER_MS = 2 * 660_000;
/** Far less than a room takes while it lives (some kilobytes), and more than chance. */
const BYTES_PER_ROOM_MAX = 500;

let world: World;
let launcher: Reconciler;
let crowds = 0;

beforeEach(async () => {
  world = new World();
  const bounds = { inFlight: Infinity, perSecond: Infinity, perNamePerMinute: 20 };
  launcher = await world.launcher({ bounds, log: SILENT });
});
afterEach(() => world.end());

async function crowd(): Promise<void> {
  crowds += 1;
  const names = Array.from({ length: ROOMS }, (_, n) => `${crowds}-${n}`);
  for (const name of names) {
    const sid = world.livekit.open(name, `RM_${name.replace('-', '_')}`);
    launcher.heard({ event: 'room_started', roomName: name, sid });
  }
  await world.settle();
  expect(world.tasks()).toHaveLength(ROOMS);
  for (const name of names) {
    const { sid } = world.livekit.rooms.get(name)!;
    world.finish(`r-${sid}-1`, 0);
    world.livekit.close(name);
    launcher.heard({ event: 'room_finished', roomName: name, sid });
  }
  await world.clock.advance(LONG_AFTER_MS);
  world.livekit.calls.length = 0;
}

function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  return process.memoryUsage().heapUsed;
}

it('leaves neither rooms nor tasks nor timers', async () => {
  const before = world.clock.pending;
  await crowd();
  const { memory, observer } = launcher;
  expect([memory.rooms.size, memory.tasks.size, observer.allTasks().length]).toEqual([0, 0, 0]);
  expect(world.clock.pending).toBe(before);
});

it('leaves the heap as large after three crowds as after one', async () => {
  await crowd();
  const before = heapBytes();
  for (let n = 0; n < 3; n += 1) await crowd();
  expect((heapBytes() - before) / (3 * ROOMS)).toBeLessThan(BYTES_PER_ROOM_MAX);
});
