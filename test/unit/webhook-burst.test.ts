/**
 * A burst of webhooks while nothing behind the listener gets on: LiveKit's answers are held back, so
 * that every pass hangs. All are answered, and what they said is kept: a set of rooms, one entry
 * each, that cannot overflow.
 */
import { createHash } from 'node:crypto';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TASK_ATTRIBUTE } from '../../launcher/core/room.ts';
import { HTTP_LIMITS } from '../../launcher/lib/http-server.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import type { Reconciler } from '../../launcher/reconcile/reconciler.ts';
import { createWebhookListener, type WebhookListener } from '../../launcher/webhook/listener.ts';
import { waitFor } from '../support/wait.ts';
import { World } from './reconcile/world.ts';

const WEBHOOKS = 2_000;
const KEY = 'main';
const SECRET = new Secret('secret-of-main');

/** Sender and listener share one process, so that requests take their time. */
const LIMITS = { ...HTTP_LIMITS, headersMs: 60_000, requestMs: 60_000 };

let world: World;
let reconciler: Reconciler;
let listener: WebhookListener;
let noted: number;
/** LiveKit's answers come when this is called. */
let release: () => void;

beforeEach(async () => {
  world = new World();
  const bounds = { inFlight: WEBHOOKS, perSecond: WEBHOOKS, perNamePerMinute: 20 };
  reconciler = await world.launcher({ bounds });
  const held = new Promise<void>((resolve) => (release = resolve));
  const { livekit } = world;
  const listRooms = livekit.listRooms.bind(livekit);
  livekit.listRooms = async (signal, name) => {
    await held;
    return listRooms(signal, name);
  };
  noted = 0;
  listener = await createWebhookListener({
    listen: { host: '127.0.0.1', port: 0 },
    limits: LIMITS,
    keys: [{ key: KEY, secret: SECRET }],
    taskAttribute: TASK_ATTRIBUTE,
    clock: world.clock,
    log: world.log,
    nudge: (nudge) => {
      reconciler.heard(nudge);
      noted += 1;
    },
    healthy: () => true,
  });
});
afterEach(async () => {
  release();
  await listener.close();
  await world.end();
});

async function send(event: string, name: string): Promise<number> {
  const body = JSON.stringify({ event, room: { sid: `RM_${name}`, name } });
  const token = new AccessToken(KEY, SECRET.reveal(), { ttl: 60 });
  token.sha256 = createHash('sha256').update(body).digest('base64');
  const headers = { authorization: await token.toJwt() };
  const url = `http://127.0.0.1:${listener.port}/webhook`;
  const answer = await fetch(url, { method: 'POST', body, headers });
  await answer.arrayBuffer();
  return answer.status;
}

const burst = (name: (n: number) => string) =>
  Promise.all(Array.from({ length: WEBHOOKS }, (_, n) => send('room_started', name(n))));
const allOk = Array<number>(WEBHOOKS).fill(200);

test('of 2,000 rooms at once: each answered 200, none lost', { timeout: 120_000 }, async () => {
  const names = Array.from({ length: WEBHOOKS }, (_, n) => `room${n}`);
  for (const name of names) world.livekit.open(name);
  expect(await burst((n) => names[n]!)).toEqual(allOk);
  await waitFor('all to be noted', () => noted === WEBHOOKS);
  expect(world.tasks(), 'no pass got through yet').toEqual([]);
  release();
  await waitFor(
    'a task for each room',
    async () => {
      await world.clock.advance(10);
      return world.tasks().length >= WEBHOOKS;
    },
    80_000,
  );
  const wanted = names.map((name) => `r-RM_${name}-1:live`);
  expect(world.tasks().toSorted()).toEqual(wanted.toSorted());
  // Nudges alone did that: the next full pass was not due.
  expect(world.livekit.calls.filter((call) => call === 'ListRooms')).toHaveLength(1);
});

test('2,000 of one room: one look waits, not 2,000', { timeout: 120_000 }, async () => {
  world.livekit.open('one');
  expect(await burst(() => 'one')).toEqual(allOk);
  await waitFor('all to be noted', () => noted === WEBHOOKS);
  release();
  await world.settle();
  expect(world.tasks()).toEqual(['r-RM_one-1:live']);
  const looks = world.livekit.calls.filter((call) => call === 'ListRooms one').length;
  expect(looks).toBeLessThanOrEqual(4);
});
