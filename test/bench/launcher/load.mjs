/**
 * For `measure.mjs`: LiveKit's part, in a process of its own: it lists rooms, sends their webhooks
 * over keep-alive connections, one after the other on each as LiveKit does for a room, and notes how
 * long each answer took. What it is to do comes over IPC; each answer is a result.
 */
import { connect } from 'node:net';
import process from 'node:process';
import { dialAll } from './gateway-load.mjs';
import { life, LiveKitRooms, talk, webhook } from './livekit.mjs';

const livekit = new LiveKitRooms();
const lines = [];
let begunLives = 0;

/** One connection; `send` resolves with the status once the answer is complete. */
async function dial(port) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  let answered;
  let text = '';
  socket.on('data', (part) => {
    text += part.toString('latin1');
    const head = text.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < head + 4 + length) return;
    const status = Number(text.slice(9, 12));
    text = '';
    answered(status);
  });
  socket.on('error', () => answered?.(0));
  socket.on('close', () => answered?.(0));
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const send = (bytes) =>
    new Promise((resolve) => {
      answered = resolve;
      socket.write(bytes);
    });
  return { send, end: () => socket.destroy() };
}

/**
 * Events without end, for one connection: `tracks`, which no launcher looks at; `talk` in rooms that
 * live, people coming and going; whole `lives` of new rooms.
 */
function* events(kind, index) {
  const names = [...livekit.rooms.keys()];
  for (let n = index; ; n += 1) {
    if (kind === 'tracks') {
      yield talk({ sid: `RM_${n}`, name: `tracks-${n}` })[1];
      continue;
    }
    if (kind === 'talk') {
      const { room } = livekit.rooms.get(names[(n * 7919) % names.length]);
      yield* talk(room);
      continue;
    }
    const name = `life-${(begunLives += 1)}`;
    const room = livekit.open(name);
    for (const event of life(room)) {
      if (event.event === 'room_finished') livekit.close(name);
      yield event;
    }
  }
}

/** Resolves with how many were answered 200, in how long, and each answer's time. */
async function load({ port, kind, connections, seconds, perSecond = Infinity }) {
  while (lines.length < connections) lines.push(await dial(port));
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  const gap = (connections / perSecond) * 1_000;
  const tookMs = [];
  let refused = 0;
  await Promise.all(
    lines.slice(0, connections).map(async ({ send }, index) => {
      let due = begun + (gap * index) / connections;
      for (const event of events(kind, index)) {
        if (gap > 0 && due > performance.now()) {
          await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
        }
        // Where a pace is set, an answer's time begins when its webhook was due, or sent: timers may
        // be early.
        const from = Math.min(gap > 0 ? due : Infinity, performance.now());
        if (performance.now() >= until) return;
        const status = await send(webhook(event, port));
        if (status === 200) tookMs.push(performance.now() - from);
        else refused += 1;
        due += gap;
      }
    }),
  );
  const inSeconds = (performance.now() - begun) / 1_000;
  tookMs.sort((a, b) => a - b);
  const at = (share) => tookMs[Math.floor(tookMs.length * share)];
  return { count: tookMs.length, refused, inSeconds, p50: at(0.5), p99: at(0.99) };
}

const does = {
  listen: () => livekit.listen(),
  rooms({ count }) {
    for (let n = livekit.rooms.size; n < count; n += 1) livekit.open(`live-${n}`);
  },
  looked: () => [...livekit.rooms.values()].filter(({ asked }) => asked > 1).length,
  load,
  dialAll,
};

async function answer({ what, ...how }) {
  process.send({ result: await does[what](how) });
}

process.on('message', (asked) => void answer(asked));
process.on('disconnect', () => process.exit());
