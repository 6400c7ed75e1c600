/**
 * What must hold for any LiveKit agent's image: an ordinary worker in Python or JavaScript, which
 * knows nothing of us, and our runner. `ROOM_LAUNCHER_TEST_ROOMS=20,10` serves that many rooms one
 * after another, and at once; by default fewer, which two cores do in a minute.
 */
import { readFile } from 'node:fs/promises';
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { RoomRow } from '../../launcher/admin/ports.ts';
import { Cleanup } from '../support/cleanup.ts';
import { containerOf, type DockerBed, roomIn, runningNames } from '../support/docker-bed.ts';
import { docker, outputOf } from '../support/docker-engine.ts';
import { leaks } from '../support/evidence.ts';
import {
  callbackOf,
  endOf,
  type Kind,
  roomCounts,
  servedBy,
  startObedientBed,
  tell,
} from '../support/foreign-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { fullPasses, launches, type Served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const [IN_ROW, AT_ONCE] = roomCounts(3, 4);
const GATEWAY_SECRET = 'the-gateway-secret-of-this-test-alone';
const SERVED_MS = 60_000;
const ENDED_MS = 60_000;
/** LiveKit notices a dead process after some 20 s; 30 s later it is missing, and gets ten more. */
const REPLACED_MS = 120_000;
const TEST_MS = 180_000;

/** The HTTP status with which a dial is refused, or `open`. */
function dial(bed: DockerBed, key: string, secret: string): Promise<number | 'open'> {
  const token = new AccessToken(key, secret);
  token.addGrant({ agent: true });
  return token.toJwt().then((jwt) => {
    const ws = new WebSocket(`ws://127.0.0.1:${bed.launcher.ports.gateway}/agent`, {
      headers: { authorization: `Bearer ${jwt}` },
    });
    return new Promise((resolve, reject) => {
      ws.on('error', reject);
      ws.on('unexpected-response', (_request, { statusCode = 0 }) => resolve(statusCode));
      ws.on('open', () => {
        ws.terminate();
        resolve('open');
      });
    });
  });
}

/** All that an outsider can read of a live task. */
async function evidenceOf(bed: DockerBed, key: string) {
  const { Id } = await containerOf(bed, key);
  const inside: { Processes: string[][] } = await docker
    .getContainer(Id)
    .top({ ps_args: '-eo pid,args' });
  const environments = inside.Processes.map(async ([pid = '']) => {
    const text = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    return [`environment of ${pid}`, text] as const;
  });
  return new Map([
    ['inspect', JSON.stringify(await containerOf(bed, key))],
    ['processes inside', JSON.stringify(inside)],
    ['the log of the task', await outputOf(Id)],
    ['the log of the launcher', bed.launcher.output()],
    ...(await Promise.all(environments)),
  ]);
}

export function foreignSuite(kind: Kind): void {
  describeWith(
    'livekit',
    'docker',
    'foreign',
  )(`rooms served by the ${kind} image`, () => {
    const whole = new Cleanup();
    const cleanup = new Cleanup();
    let bed: DockerBed;
    beforeAll(async () => {
      const env = { LAUNCHER_RETRIES: '1', LAUNCHER_GATEWAY_SECRET: GATEWAY_SECRET };
      bed = await startObedientBed(whole, kind, env);
    }, TEST_MS);
    afterEach(() => cleanup.run());
    afterAll(() => whole.run());

    async function serve(name: string, attempt = 1): Promise<Served> {
      if (attempt === 1) {
        await bed.rooms.createRoom({ name });
        cleanup.defer(() => bed.rooms.deleteRoom(name).catch(() => {}));
      }
      return servedBy(bed, name, attempt, attempt === 1 ? SERVED_MS : REPLACED_MS);
    }

    const launchesOf = (sid: string) => launches(bed.launcher).filter((key) => key.includes(sid));

    test(
      `${IN_ROW} one after another: a container each, gone with its room, callbacks done`,
      { timeout: IN_ROW * (SERVED_MS + ENDED_MS) },
      async () => {
        for (let n = 1; n <= IN_ROW; n++) {
          const { sid, key } = await serve(`row-${n}`);
          await bed.rooms.deleteRoom(`row-${n}`);
          expect(await endOf(bed, key)).toMatchObject({ verdict: 'served' });
          expect(await callbackOf(bed, key)).toBe('done');
          expect(await runningNames(bed)).toEqual([]);
          expect(launchesOf(sid)).toEqual([key]);
        }
      },
    );

    test(
      `${AT_ONCE} at once: each by its own container, all gone with their rooms`,
      { timeout: TEST_MS + AT_ONCE * SERVED_MS },
      async () => {
        const names = Array.from({ length: AT_ONCE }, (_, n) => `at-once-${n}`);
        const made = await Promise.all(names.map((name) => bed.rooms.createRoom({ name })));
        const limitMs = SERVED_MS + AT_ONCE * 15_000;
        const all = await Promise.all(names.map((name) => servedBy(bed, name, 1, limitMs)));
        expect(all.map(({ key }) => key)).toEqual(made.map(({ sid }) => `r-${sid}-1`));
        await Promise.all(names.map((name) => bed.rooms.deleteRoom(name)));
        for (const { key } of all) {
          expect(await endOf(bed, key)).toMatchObject({ verdict: 'served' });
          expect(await callbackOf(bed, key)).toBe('done');
        }
        expect(await runningNames(bed)).toEqual([]);
        expect(made.flatMap(({ sid }) => launchesOf(sid))).toHaveLength(AT_ONCE);
      },
    );

    test(
      'an agent that leaves, and one that an operator ends: callbacks done, and nobody comes again',
      { timeout: TEST_MS },
      async () => {
        const [leaver, stopped] = await Promise.all([serve('leaver'), serve('stopped')]);
        cleanup.use(await visit(bed.server, 'stopped'));
        await tell(cleanup, bed, leaver, 'leaver', 'leave');
        await bed.launcher.admin('/api/rooms/stopped/stop', { method: 'POST' });
        for (const { key } of [leaver, stopped]) {
          expect(await endOf(bed, key)).toMatchObject({ verdict: 'served' });
          expect(await callbackOf(bed, key)).toBe('done');
        }
        await fullPasses(bed.launcher, 3);
        for (const { sid, key } of [leaver, stopped]) {
          expect((await roomIn(bed, sid, 'served')).attempts).toBe(1);
          expect(launchesOf(sid)).toEqual([key]);
        }
        expect(await runningNames(bed)).toEqual([]);
      },
    );

    test(
      'a job process or a worker that dies is replaced; one that dies again is the last',
      { timeout: TEST_MS + REPLACED_MS },
      async () => {
        const [crash, kill] = await Promise.all([serve('crash'), serve('kill')]);
        await tell(cleanup, bed, crash, 'crash', 'crash');
        await tell(cleanup, bed, kill, 'kill', 'kill');
        expect(await endOf(bed, kill.key)).toMatchObject({ verdict: 'failed', exitCode: 137 });
        const again = await serve('kill', 2);
        await docker.getContainer((await containerOf(bed, again.key)).Id).kill();
        expect(await endOf(bed, crash.key)).toMatchObject({ verdict: 'failed' });
        expect(await callbackOf(bed, crash.key)).toBe('not run');
        expect((await serve('crash', 2)).sid).toBe(crash.sid);
        const failed: RoomRow = await roomIn(bed, kill.sid, 'failed');
        expect(failed).toMatchObject({ attempts: 2 });
        expect(failed.reason).toMatch(/^2 of 2 attempts failed: /);
        expect(launchesOf(kill.sid)).toEqual([kill.key, again.key]);
      },
    );

    test(
      'a launcher that is killed in mid-job: the same container serves on, and ends with its room',
      { timeout: TEST_MS },
      async () => {
        const { sid, key, agent } = await serve('restarted');
        const { Id } = await containerOf(bed, key);
        await bed.launcher.end('SIGKILL');
        await bed.launcher.restart();
        const socket = async () =>
          (await bed.launcher.tasks()).find((task) => task.key === key)?.socket === 'assigned';
        await waitFor('its worker to be back', socket, 30_000);
        await fullPasses(bed.launcher, 2);
        const after = await servedBy(bed, 'restarted', 1, SERVED_MS);
        expect(after).toMatchObject({ sid, key, agent: { sid: agent.sid } });
        await bed.rooms.deleteRoom('restarted');
        expect(await endOf(bed, key)).toMatchObject({ verdict: 'served' });
        expect(await callbackOf(bed, key)).toBe('done');
        expect((await containerOf(bed, key)).Id).toBe(Id);
        expect(launchesOf(sid)).toEqual([key]);
      },
    );

    test(
      'no secret is in it, and its credential opens nothing else',
      { timeout: TEST_MS },
      async () => {
        const { server, rooms } = bed;
        const { sid, key } = await serve('spied');
        const evidence = await evidenceOf(bed, key);
        expect(evidence.get('processes inside')).toContain('agent');
        expect(leaks(evidence, [server.apiSecret.reveal(), GATEWAY_SECRET])).toEqual([]);

        const { Config } = await containerOf(bed, key);
        const own = Config.Env.find((line) => line.startsWith('LIVEKIT_API_SECRET='))!.slice(19);
        expect(Config.Env).toContain(`LIVEKIT_API_KEY=${key}`);
        expect(await dial(bed, `r-${sid}-2`, own)).toBe(401);
        expect(await dial(bed, key, own)).toBe(409);
        const atServer = new RoomServiceClient(server.url.replace('ws', 'http'), key, own);
        await expect(atServer.listRooms()).rejects.toMatchObject({ status: 401 });
        await rooms.deleteRoom('spied');
        await endOf(bed, key);
        expect(await dial(bed, key, own)).toBe(410);
      },
    );
  });
}
