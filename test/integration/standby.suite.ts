/**
 * What must hold of the warm pool for any LiveKit agent's image: rooms are served by standbys while
 * there are any, by tasks of their own beyond that, and the pool is full again afterwards.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { containerOf, type DockerBed } from '../support/docker-bed.ts';
import { outputOf } from '../support/docker-engine.ts';
import {
  callbackOf,
  endOf,
  type Kind,
  roomCounts,
  startObedientBed,
} from '../support/foreign-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { launches } from '../support/served.ts';
import { isStandby, poolFull, readyStandbys, servedAlive } from '../support/standby-bed.ts';

const [IN_ROW, AT_ONCE] = roomCounts(1, 3);
const POOL = 2;
const ROOM_MS = 90_000;
/** Less than any standby takes to be ready. */
const AT_ONCE_MS = 5_000;

/** From LiveKit's word of a room to the launch for it; null: there was none. */
function waitedMs({ launcher }: DockerBed, sid: string): number | null {
  const timeOf = (name: string) =>
    launcher.lines().find(({ event, fields }) => event === name && fields['sid'] === sid)?.timeMs;
  const [heardAtMs, launchedAtMs] = [timeOf('webhook.receive'), timeOf('task.launch')];
  return heardAtMs === undefined || launchedAtMs === undefined ? null : launchedAtMs - heardAtMs;
}

export function standbySuite(kind: Kind): void {
  describeWith(
    'livekit',
    'docker',
    'foreign',
  )(`standbys of the ${kind} image`, () => {
    const cleanup = new Cleanup();
    let bed: DockerBed;
    beforeAll(async () => {
      const env = { LAUNCHER_RETRIES: '1', LAUNCHER_STANDBY: String(POOL) };
      bed = await startObedientBed(cleanup, kind, env, ['ENV PREWARM_MS=700']);
    }, ROOM_MS);
    afterAll(() => cleanup.run());

    test(
      `${IN_ROW} rooms one after another: prewarmed standbys serve them, and end with them`,
      { timeout: ROOM_MS * (IN_ROW + 1) },
      async () => {
        for (let n = 1; n <= IN_ROW; n++) {
          const [first = ''] = await readyStandbys(bed, 1);
          // The JavaScript worker does not say when it is warm: five seconds are all there is.
          const warm = kind !== 'javascript';
          const log = await outputOf((await containerOf(bed, first)).Id);
          if (warm) expect(log).toContain('PREWARMED');
          const { sid } = await bed.rooms.createRoom({ name: `row-${n}` });
          const { key } = await servedAlive(bed, `row-${n}`);
          expect(isStandby(key), key).toBe(true);
          await bed.rooms.deleteRoom(`row-${n}`);
          expect(await endOf(bed, key)).toMatchObject({ sid, attempt: 1, verdict: 'served' });
          expect(await callbackOf(bed, key)).toBe('done');
          expect(launches(bed.launcher).filter((task) => task.includes(sid))).toEqual([]);
        }
      },
    );

    test(
      `${AT_ONCE} at once: ${POOL} by standbys, the others at once by tasks of their own`,
      { timeout: ROOM_MS * (AT_ONCE + 1) },
      async () => {
        const ready = await poolFull(bed, POOL);
        const names = Array.from({ length: AT_ONCE }, (_, n) => `at-once-${n}`);
        const made = await Promise.all(names.map((name) => bed.rooms.createRoom({ name })));
        const all = await Promise.all(names.map((name) => servedAlive(bed, name)));
        const keys = all.map(({ key }) => key);
        expect(new Set(keys).size).toBe(AT_ONCE);
        expect(keys).toEqual(expect.arrayContaining(ready));
        const waits = made.flatMap(({ sid }) => waitedMs(bed, sid) ?? []);
        expect(waits).toHaveLength(keys.filter((key) => !isStandby(key)).length);
        expect(Math.min(...waits)).toBeLessThan(AT_ONCE_MS);
        expect(await poolFull(bed, POOL, keys)).toHaveLength(POOL);

        await Promise.all(names.map((name) => bed.rooms.deleteRoom(name)));
        for (const key of keys) {
          expect(await endOf(bed, key)).toMatchObject({ verdict: 'served' });
          expect(await callbackOf(bed, key)).toBe('done');
        }
        await poolFull(bed, POOL);
      },
    );
  });
}
