/**
 * What a pass over one room costs beside how many others there are: the real reconciler, with the
 * engine and LiveKit in memory, so that nothing but its own work is measured. Told a number of rooms
 * over IPC it serves them, then changes some, one after the other, and answers with the CPU time of
 * each change and the memory that it all fills. Room names and sids are alike.
 */
import process from 'node:process';
import { agentIdentity, TASK_ATTRIBUTE } from '../../../dist/launcher/core/room.js';
import { memoryDriver, MemoryEngine } from '../../../dist/launcher/drivers/memory.js';
import { systemClock as clock } from '../../../dist/launcher/lib/clock.js';
import { Reconciler } from '../../../dist/launcher/reconcile/reconciler.js';
import { createLog } from '../../../dist/launcher/telemetry/log.js';
import { profile, profiles } from '../profile.mjs';

const sockets = { offer() {}, withdraw: () => true, terminate: () => false, account: () => 'none' };

const rooms = new Map();
const there = new Set();
/** Called with each room that a pass looked at. */
let passed = () => {};
const log = createLog({
  level: 'silent',
  redact: [],
  clock,
  listeners: [({ event, fields }) => event === 'pass.run' && passed(fields)],
});
const engine = new MemoryEngine({ nowMs: () => clock.nowMs() });
const driver = memoryDriver(engine, { deployment: 'bench' });
const reconciler = new Reconciler({
  livekit: {
    async listRooms(_signal, name) {
      if (name === undefined) return [...rooms.values()];
      return rooms.has(name) ? [rooms.get(name)] : [];
    },
    async listParticipants(name) {
      if (!there.has(name)) return [];
      const attributes = { [TASK_ATTRIBUTE]: `r-${name}-1` };
      return [{ identity: agentIdentity(name), kind: 'agent', attributes }];
    },
  },
  // Hints are left out: what they bring is measured by itself.
  driver: { ...driver, watch: () => ({ async [Symbol.asyncDispose]() {} }) },
  clock,
  log,
  random: Math.random,
  sockets,
  profiles,
  bounds: { inFlight: Infinity, perSecond: Infinity, perNamePerMinute: 1_000 },
  resyncMs: profile.maxLifetimeMs,
  taskLivekitUrl: 'ws://127.0.0.1',
  taskEnv: () => ({}),
});

function open(count) {
  for (let n = rooms.size; n < count; n += 1) {
    const sid = `RM_${n}`;
    rooms.set(sid, { sid, name: sid, metadata: '', createdAtMs: clock.nowMs(), participants: 1 });
  }
}

/** Tells of a room; resolves with the CPU time until a pass over it was done, in microseconds. */
function pass(sid, news) {
  return new Promise((resolve) => {
    const begun = process.cpuUsage();
    passed = (fields) => {
      if (fields.sid !== sid) return;
      const { user, system } = process.cpuUsage(begun);
      setImmediate(() => resolve(user + system));
    };
    reconciler.heard({ roomName: sid, sid, ...news });
  });
}

const agent = (sid) => ({
  identity: agentIdentity(sid),
  kind: 'agent',
  taskKey: `r-${sid}-1`,
});

/** Serves so many rooms, all looked at twice: launched, and found with their agent. */
async function serve(count) {
  open(count);
  for (const sid of rooms.keys()) {
    if (there.has(sid)) continue;
    await pass(sid, { event: 'room_started' });
    there.add(sid);
  }
  await reconciler.observer.freshTasks(reconciler.observer.turn());
  for (const sid of rooms.keys()) {
    await pass(sid, { event: 'participant_joined', participant: agent(sid) });
  }
}

/**
 * The memory with so many rooms, the CPU time of lists of their tasks, and that of so many changes of
 * each kind, microseconds each. Each change of the one kind leaves a room more.
 */
async function measure({ count, changes }) {
  await serve(count);
  const rssBytes = process.memoryUsage.rss();
  const listed = [];
  for (let n = 0; n < changes / 10; n += 1) {
    const begun = process.cpuUsage();
    await reconciler.observer.freshTasks(reconciler.observer.turn());
    const { user, system } = process.cpuUsage(begun);
    listed.push(user + system);
  }
  const joined = [];
  const started = [];
  const sids = [...rooms.keys()];
  for (let n = 0; n < changes; n += 1) {
    const sid = sids[(n * 7919) % count];
    joined.push(await pass(sid, { event: 'participant_joined', participant: agent(sid) }));
    open(rooms.size + 1);
    const newest = `RM_${rooms.size - 1}`;
    started.push(await pass(newest, { event: 'room_started' }));
    there.add(newest);
  }
  return { joined, started, listed, rssBytes };
}

await reconciler.start();
process.on('message', (how) => {
  void measure(how).then((result) => process.send({ result }));
});
process.on('disconnect', () => process.exit());
