/**
 * `npm run screenshots`: the pictures of the dashboard in docs/images, taken in headless Chromium of
 * worlds made up by dashboard-world.mjs. Needs a build.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBrowser } from './browser.mjs';
import { World } from './dashboard-world.mjs';
import { shrunk } from './png.mjs';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));
/** Pictures stand in the repository: none may grow beyond this. */
const BYTES_MAX = 200_000;
const MINUTE_MS = 60_000;
const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const nowMs = Date.now();

/** Some hours of ordinary life: rooms that are over, and `count` that are live. */
function livelyWorld(count, over = 24) {
  const world = new World(7);
  for (let i = 0; i < over; i += 1) {
    const openedMs = nowMs - 58 * MINUTE_MS + i * 2 * MINUTE_MS;
    world.close(world.open(openedMs), openedMs + 90_000 + (i % 5) * 61_000);
  }
  for (let i = 0; i < count; i += 1)
    world.open(nowMs - (count - i) * ((27 * MINUTE_MS) / count) - 9_000);
  return world;
}

function busyWorld() {
  const world = livelyWorld(200);
  world.standbysWanted.set('default', 3);
  for (const slot of [0, 1]) world.standby(nowMs - (slot + 2) * 47_000, 'default', slot);
  const third = world.standby(nowMs - 2_000, 'default', 2);
  Object.assign(third, { standby: 'not-ready', phase: 'starting', startedAt: null, socket: null });
  const broken = world.rooms[180];
  failIn(
    world,
    broken,
    world.tasks.find(({ sid }) => sid === broken.sid),
  );
  const starting = world.open(nowMs - 1_200, { name: 'interview-225', tell: false });
  Object.assign(starting.room, {
    state: 'starting',
    reason: 'its task was accepted',
    participants: 1,
  });
  Object.assign(starting.task, { phase: 'starting', startedAt: null, socket: null });
  const waiting = world.open(nowMs - 400, { name: 'clinic-226', tell: false });
  Object.assign(waiting.room, {
    state: 'waiting',
    reason: 'its turn to launch comes: 2 of 2 launches are under way',
    attempts: 0,
  });
  world.tasks.splice(world.tasks.indexOf(waiting.task), 1);
  Object.assign(world.rooms[196], { otherAgents: 1 });
  return world;
}

/** A run whose four attempts all ended by the same fault of the agent. */
function failIn(world, room, first) {
  const reason =
    "agent code failed (exit 1): TypeError: Cannot read properties of undefined (reading 'voice')";
  const last = 'the last of 4 attempts failed: agent code failed (exit 1)';
  let atMs = Date.parse(room.createdAt) + 2_600;
  let task = first;
  for (let attempt = 1; ; attempt += 1) {
    world.end(task, atMs, 'failed', 1, reason);
    world.outputs.set(task.key, [
      '{"level":"info","time":"…","msg":"joined the room","attempt":' + attempt + '}',
      "TypeError: Cannot read properties of undefined (reading 'voice')",
      '    at entry (file:///app/agent.js:41:31)',
      '    at process.processTicksAndRejections (node:internal/process/task_queues:104:5)',
    ]);
    if (attempt === 4) break;
    const again = world.again(room, atMs + 500 * 2 ** attempt);
    world.way(again, atMs + 500 * 2 ** attempt, 1_700);
    task = again;
    atMs += 500 * 2 ** attempt + 2_300;
  }
  Object.assign(room, { state: 'failed', reason: last });
  world.tell(atMs + 20, 'run.fail', { sid: room.sid, reason: last }, 'warn');
}

const browser = await startBrowser();
mkdirSync(FOLDER, { recursive: true });

/** One picture of a world; `runs`: tasks do on this page. `only`: this part of it. */
async function take(
  name,
  world,
  { path = '/', viewport = WIDE, colorScheme = 'light', runs = true, height, only } = {},
) {
  const listener = await world.listen();
  const context = await browser.newContext({ viewport, colorScheme, timezoneId: 'UTC' });
  try {
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${listener.port}${path}`);
    await page.locator('body[data-seen]').waitFor();
    // What tasks use is known after two looks.
    if (runs) {
      await page.locator('[data-cpu]', { hasText: '%' }).first().waitFor();
    }
    const file = join(FOLDER, `${name}.png`);
    if (height) await page.setViewportSize({ ...viewport, height });
    const shot = only ? page.locator(only).screenshot() : page.screenshot();
    const picture = shrunk(await shot);
    writeFileSync(file, picture);
    const size = picture.length;
    console.log(`${name}.png ${Math.round(size / 1000)} kB`);
    if (size > BYTES_MAX) throw new Error(`${name}.png has ${size} bytes, ${BYTES_MAX} at most`);
  } finally {
    await context.close();
    await listener.close();
  }
}

try {
  const three = livelyWorld(3, 5);
  const busy = busyWorld();
  const failed = busy.rooms.find(({ state }) => state === 'failed');
  await take('empty', new World(), { runs: false });
  await take('three-rooms', three, { height: 1_500 });
  await take('two-hundred-rooms', busy);
  await take('dark', busy, { colorScheme: 'dark' });
  await take('failed-run', busy, { path: `/rooms/${failed.sid}`, runs: false, height: 1_150 });
  await take('phone', busy, { viewport: PHONE });
  await take('plots', busy, { only: '#plots' });
  await take('room', busy, { path: `/rooms/${busy.rooms[190].sid}`, height: 720 });
} finally {
  await browser.close();
}
