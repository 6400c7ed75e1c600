/**
 * What becomes of the warm pool when standbys and launchers are killed: nothing is lost or doubled,
 * and it is full again afterwards. `ROOM_LAUNCHER_TEST_KILLS`: how often in mid-hand-over.
 */
import process from 'node:process';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { containerOf, type DockerBed, startDockerBed } from '../support/docker-bed.ts';
import { docker } from '../support/docker-engine.ts';
import { endOf } from '../support/foreign-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { fullPasses, launches } from '../support/served.ts';
import {
  isStandby,
  poolFull,
  readyStandbys,
  servedAlive,
  standbys,
} from '../support/standby-bed.ts';
import { waitFor } from '../support/wait.ts';

const KILLS_WANTED = Number(process.env['ROOM_LAUNCHER_TEST_KILLS'] ?? 4);
const POOL = 2;
/** Long enough for a cold start; standbys that an earlier launcher left wait no longer. */
const JOIN_DEADLINE = { LAUNCHER_JOIN_DEADLINE_SECONDS: '15' };
const TEST_MS = 120_000;
const MOMENT_MS = 30_000;
/** How far a hand-over has come, by the launcher's log. */
const MOMENTS = { offered: 'offering a room to a standby', assigned: '"outcome":"assigned"' };
const KILLS = [
  ['the standby', 'offered'],
  ['the launcher', 'offered'],
  ['both', 'assigned'],
  ['the standby', 'assigned'],
  ['both', 'offered'],
  ['the launcher', 'assigned'],
] as const;

/** Waits for a moment without the pause that polls have: it lasts some milliseconds. */
async function momentOf({ launcher }: DockerBed, from: number, text: string): Promise<string> {
  const endMs = performance.now() + MOMENT_MS;
  for (;;) {
    const line = launcher
      .output()
      .slice(from)
      .split('\n')
      .find((each) => each.includes(text));
    const key = /s-default-\d+-\d+/.exec(line ?? '')?.[0];
    if (key !== undefined) return key;
    if (performance.now() > endMs) throw new Error(`no "${text}" within ${MOMENT_MS} ms`);
    await turn();
  }
}

async function kill(bed: DockerBed, key: string): Promise<void> {
  await docker.getContainer((await containerOf(bed, key)).Id).kill();
}

describeWith('livekit', 'docker')('the warm pool', () => {
  const whole = new Cleanup();
  const cleanup = new Cleanup();
  let bed: DockerBed;
  beforeAll(async () => {
    const env = { LAUNCHER_STANDBY: String(POOL), LAUNCHER_RESYNC_SECONDS: '1', ...JOIN_DEADLINE };
    bed = await startDockerBed(whole, { network: 'host', env });
  });
  afterEach(() => cleanup.run());
  afterAll(() => whole.run());

  async function room(name: string): Promise<string> {
    const { sid } = await bed.rooms.createRoom({ name });
    cleanup.defer(() => bed.rooms.deleteRoom(name).catch(() => {}));
    return sid;
  }

  test('a standby that is killed or stopped is replaced', { timeout: TEST_MS }, async () => {
    const [killed = '', stopped = ''] = await poolFull(bed, POOL);
    expect(await standbys(bed)).toMatchObject(
      [killed, stopped].map((key) => ({ key, sid: null, attempt: null, socket: 'waiting' })),
    );
    await kill(bed, killed);
    const answer = await bed.launcher.admin(`/api/tasks/${stopped}/stop`, { method: 'POST' });
    expect(answer.status).toBe(202);
    await waitFor('both to be gone from the pool', async () => {
      const keys = (await standbys(bed)).map(({ key }) => key);
      return !keys.includes(killed) && !keys.includes(stopped);
    });
    expect(await poolFull(bed, POOL)).toHaveLength(POOL);
    // What failed is kept to be read, what was sent away is not.
    expect(await endOf(bed, killed)).toMatchObject({ verdict: 'failed', exitCode: 137 });
    await waitFor('the stopped one to be removed', () =>
      containerOf(bed, stopped).then(
        () => false,
        () => true,
      ),
    );
    expect(bed.launcher.lines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test(
    'in a roll-over idle standbys are retired by the next launcher, busy ones serve on',
    { timeout: TEST_MS },
    async () => {
      await readyStandbys(bed, POOL);
      const sid = await room('rolled');
      const { key } = await servedAlive(bed, 'rolled');
      expect(isStandby(key)).toBe(true);
      const old = await poolFull(bed, POOL, [key]);
      expect(await bed.launcher.end('SIGTERM')).toEqual({ code: 0, signal: null });
      await bed.launcher.restart();
      const next = await poolFull(bed, POOL, [key]);
      expect(next.filter((each) => old.includes(each))).toEqual([]);
      for (const each of old) await waitFor(`${each} to be gone`, () => isGone(each));
      // By the same task: its client may have had to join anew, on a machine that is too busy.
      expect((await servedAlive(bed, 'rolled')).key).toBe(key);
      expect(launches(bed.launcher).filter((each) => each.includes(sid))).toEqual([]);
      await bed.rooms.deleteRoom('rolled');
      expect(await endOf(bed, key)).toMatchObject({ sid, attempt: 1, verdict: 'served' });
    },
  );

  async function isGone(key: string): Promise<boolean> {
    return !(await bed.launcher.tasks()).some((task) => task.key === key);
  }

  test(
    'kills in mid-hand-over: one agent in each room in the end, and no container beside the pool',
    { timeout: KILLS_WANTED * TEST_MS },
    async () => {
      const names: string[] = [];
      for (let n = 0; n < KILLS_WANTED; n++) {
        const [victim, moment] = KILLS[n % KILLS.length]!;
        await readyStandbys(bed, 1);
        const name = `killed-${n}`;
        names.push(name);
        const from = bed.launcher.output().length;
        await room(name);
        const standby = await momentOf(bed, from, MOMENTS[moment]);
        if (victim !== 'the standby') process.kill(bed.launcher.pid, 'SIGKILL');
        if (victim !== 'the launcher') await kill(bed, standby);
        if (victim !== 'the standby') {
          await bed.launcher.end('SIGKILL');
          await bed.launcher.restart();
        }
        await servedAlive(bed, name);
      }
      const all = await Promise.all(names.map((name) => servedAlive(bed, name)));
      const keys = all.map(({ key }) => key);
      expect(new Set(keys).size).toBe(names.length);
      await poolFull(bed, POOL, keys);
      await fullPasses(bed.launcher, 3);
      // It stays like that: the same tasks (LiveKit's client may reconnect), not one container more.
      const after = await Promise.all(names.map((name) => servedAlive(bed, name)));
      expect(after.map(({ key }) => key)).toEqual(keys);
      await poolFull(bed, POOL, keys);
    },
  );
});
