/** The gateway's secret changes while a launch is half done: created, and never started. */
import { AccessToken } from 'livekit-server-sdk';
import { expect, it } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import { taskSecret, verifyTaskToken } from '../../../launcher/gateway/credentials.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { World } from './world.ts';

const OLD = new Secret('the secret of before');
const NEW = new Secret('the secret of today');
const KEY = 'r-RM_a-1' as TaskKey;

const credential = (secret: Secret, key: TaskKey) => taskSecret(secret, 'us', key).reveal();

it('the repeat starts what was created, and its credential of before is still good', async () => {
  const world = new World();
  world.livekit.open('a');
  const env = { LIVEKIT_API_KEY: KEY, LIVEKIT_API_SECRET: credential(OLD, KEY) };
  const created = world.engine.create('us', KEY, { template: '/agent.js', env });
  await world.launcher({
    taskEnv: (key) => ({ LIVEKIT_API_KEY: key, LIVEKIT_API_SECRET: credential(NEW, key) }),
  });
  expect(created.begun).toBe(true);
  expect(world.tasks()).toEqual([`${KEY}:live`]);
  const token = new AccessToken(KEY, created.env['LIVEKIT_API_SECRET'], { ttl: 60 });
  token.addGrant({ agent: true });
  const authorization = `Bearer ${await token.toJwt()}`;
  expect(await verifyTaskToken([NEW, OLD], 'us', authorization)).toEqual({ key: KEY });
  expect(await verifyTaskToken([NEW], 'us', authorization)).toMatchObject({
    claims: KEY,
    unsigned: true,
  });
  await world.end();
});
