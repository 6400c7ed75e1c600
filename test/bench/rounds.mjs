/** Rooms one at a time: in every round each way takes its turn, in another order each time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from '../../dist/launcher/dev/participant.js';
import { GROUPS } from './names.mjs';
import { isGone, quiet } from './processes.mjs';
import { until } from './wait.mjs';

const TONE_HZ = 440;
/** A greeting passes by a caller who is not quite there; so the caller speaks first, again and again. */
const SAY_AGAIN_MS = 50;

/** Does `work`; what goes wrong says with whom, and what that one has logged last. */
export async function told(way, work) {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${way.name}: ${error.message}\n${way.tail()}`, { cause: error });
  }
}

/**
 * Waits until all pools are full and the machine is at rest, so that nobody is measured while others
 * start. In a `hasty` run, whose times mean nothing, for this way's own pool alone.
 */
export async function atRest(ways, way, run) {
  const waited = (run.hasty ? [way] : ways).map((each) =>
    told(each, async () => {
      // A foreign worker may end ten seconds after its room; until then it does nothing.
      if (each.endsAtOnce) await each.over();
      await each.settled();
    }),
  );
  await Promise.all(waited);
  if (!run.hasty) run.rests.push(await quiet());
}

/** Creates a room, and waits for its agent: the room, and the milliseconds it took. */
export async function createToActive(way, name) {
  const sentMs = performance.now();
  const { sid } = await way.livekit.rooms.createRoom({ name });
  await until('an active agent', () => way.livekit.hasAgent(name));
  return { name, sid, tookMs: performance.now() - sentMs };
}

/** `n` rounds of: create a room, wait for its agent, delete the room, wait for the end of what served. */
export async function activeRounds(ways, n, run) {
  for (const [round, way, name] of turns(ways, n, 'active')) {
    await atRest(ways, way, run);
    await told(way, async () => {
      const room = await createToActive(way, name);
      run.figures.add(GROUPS.active, way.name, 'ms', room.tookMs);
      if (!way.endsAtOnce) return way.livekit.rooms.deleteRoom(name);
      const unit = await way.unitOf(room);
      run.figures.add(GROUPS.exit, way.name, 'ms', await deleteToGone(way, name, unit));
    });
    run.progress(`rooms one at a time, round ${round + 1} of ${n}: ${way.name}`);
  }
}

/** `n` rounds with a caller who joins as soon as the room is there, speaks, and reads and hears. */
export async function callRounds(ways, n, run) {
  for (const [round, way, name] of turns(ways, n, 'call')) {
    await atRest(ways, way, run);
    const { textMs, audioMs } = await told(way, () => call(way, name));
    run.figures.add(GROUPS.text, way.name, 'ms', textMs);
    run.figures.add(GROUPS.audio, way.name, 'ms', audioMs);
    run.progress(`calls, round ${round + 1} of ${n}: ${way.name}`);
  }
}

async function call({ livekit }, name) {
  const token = await livekit.token(name);
  const heard = {};
  const note = (what) => () => (heard[what] ??= performance.now());
  const sentMs = performance.now();
  await livekit.rooms.createRoom({ name });
  const on = { agent: () => {}, chat: note('text'), tone: note('audio') };
  const caller = await join({ url: livekit.url, token, toneHz: TONE_HZ, on });
  let sayAtMs = 0;
  try {
    await until('a text and the tone, repeated', async () => {
      if (!heard.text && performance.now() >= sayAtMs) {
        sayAtMs = performance.now() + SAY_AGAIN_MS;
        await caller.say('Hello?');
      }
      return heard.text && heard.audio;
    });
  } finally {
    await caller[Symbol.asyncDispose]();
    await livekit.rooms.deleteRoom(name);
  }
  return { textMs: heard.text - sentMs, audioMs: heard.audio - sentMs };
}

/**
 * `n` rounds in which all ways serve a room for `holdMs` at least: the processor time of each until
 * `holdMs` after its agent was there, and, nothing else being at work, the end of those that do not
 * end at once when they are young.
 */
export async function holdRounds(ways, n, holdMs, run) {
  for (let round = 0; round < n; round += 1) {
    const held = [];
    for (const way of inTurn(ways, round)) {
      await told(way, () => way.settled());
      held.push(await told(way, () => hold(way, `hold-${round}`, holdMs)));
      run.progress(`longer calls, round ${round + 1} of ${n}: ${way.name}`);
    }
    for (const { way, cpuSeconds } of held)
      run.figures.add(GROUPS.cpu, way.name, 's', await told(way, () => cpuSeconds));
    for (const { way, name, unit } of held) {
      if (!run.hasty) run.rests.push(await quiet());
      const tookMs = await told(way, () => deleteToGone(way, name, unit));
      if (!way.endsAtOnce) run.figures.add(GROUPS.exit, way.name, 'ms', tookMs);
    }
  }
}

async function hold(way, name, holdMs) {
  const room = await createToActive(way, name);
  const unit = await way.unitOf(room);
  const cpuSeconds = sleep(holdMs).then(() => unit.cpuSeconds() ?? Number.NaN);
  cpuSeconds.catch(() => {}); // It is awaited when all ways serve.
  return { way, name, unit, cpuSeconds };
}

async function deleteToGone(way, name, unit) {
  if (isGone(unit.pid)) throw new Error('what served the room was gone before it');
  const sentMs = performance.now();
  await way.livekit.rooms.deleteRoom(name);
  await unit.gone();
  return performance.now() - sentMs;
}

function* turns(ways, n, kind) {
  for (let round = 0; round < n; round += 1)
    for (const way of inTurn(ways, round)) yield [round, way, `${kind}-${round}`];
}

/** The same ways, beginning with another one each time, and every other time backwards. */
export function inTurn(ways, round) {
  const first = round % ways.length;
  const turned = [...ways.slice(first), ...ways.slice(0, first)];
  return round % 2 === 0 ? turned : turned.toReversed();
}
