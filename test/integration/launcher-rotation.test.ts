/** Secrets change while rooms are served: of webhooks, and of tasks' credentials. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, expect, test } from 'vitest';
import type { TaskKey } from '../../launcher/driver.ts';
import { taskSecret } from '../../launcher/gateway/credentials.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { Cleanup } from '../support/cleanup.ts';
import { environments } from '../support/evidence.ts';
import { startBed, startTestLauncher, type Bed, type TestLauncher } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { ended, fullPasses, launches, served, taskPid } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const OLD = 'the-gateway-secret-of-before-0123456789';
const NEW = 'the-gateway-secret-of-today-0123456789ab';
const WEBHOOK_KEYS = { APIolder: 'secret-of-an-older-key', APInewer: 'secret-of-a-newer-key' };

/** The secret that a task's process holds. */
async function credentialOf(launcher: TestLauncher, key: string): Promise<string> {
  const all = await environments(await taskPid(launcher, key));
  const text = [...all.values()].join('\0');
  return /LIVEKIT_API_SECRET=([^\0]*)/.exec(text)?.[1] ?? '';
}
const derived = (secret: string, key: string) =>
  taskSecret(new Secret(secret), 'test', key as TaskKey).reveal();
const socketOf = async ({ launcher }: Bed, key: string) =>
  (await launcher.tasks()).find((task) => task.key === key)?.socket;

describeWithLiveKit('a change of secrets', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function folder(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'rotation-'));
    cleanup.defer(() => rm(made, { recursive: true, force: true }));
    return made;
  }

  /** The next launcher of the same deployment, on the same ports and state, with other settings. */
  async function next(bed: Bed, stateHome: string, env: Record<string, string>) {
    const { server, launcher } = bed;
    expect(await launcher.end('SIGTERM')).toEqual({ code: 0, signal: null });
    const { ports } = launcher;
    const started = await startTestLauncher({ server, ports, stateHome, env });
    return { ...bed, launcher: cleanup.use(started) };
  }

  test('of the gateway: by `new,old` tasks come back, by `new` alone the log says what to do', async () => {
    const stateHome = await folder();
    const resync = { LAUNCHER_RESYNC_SECONDS: '1' };
    const first = await startBed(cleanup, {
      stateHome,
      env: { ...resync, LAUNCHER_GATEWAY_SECRET: OLD },
    });
    await first.rooms.createRoom({ name: 'before' });
    const before = await served(first, 'before');
    expect(await credentialOf(first.launcher, before.key)).toBe(derived(OLD, before.key));

    const file = join(await folder(), 'secrets');
    await writeFile(file, `${NEW},${OLD}\n`);
    const both = await next(first, stateHome, { ...resync, LAUNCHER_GATEWAY_SECRET_FILE: file });
    await waitFor('the task to come back', async () => {
      return (await socketOf(both, before.key)) === 'assigned';
    });
    await both.rooms.createRoom({ name: 'after' });
    const after = await served(both, 'after');
    expect(await credentialOf(both.launcher, after.key)).toBe(derived(NEW, after.key));
    await fullPasses(both.launcher, 2);
    const stillServed = await served(both, 'before');
    expect([stillServed.key, stillServed.agent.sid]).toEqual([before.key, before.agent.sid]);
    expect(launches(both.launcher)).toEqual([after.key]);

    const last = await next(both, stateHome, { ...resync, LAUNCHER_GATEWAY_SECRET: NEW });
    const line = await waitFor('the line about the old credential', () =>
      last.launcher.lines().find(({ fields }) => fields['task'] === before.key && fields['count']),
    );
    expect(line.level).toBe('warn');
    expect(line.fields['msg']).toMatch(/LAUNCHER_GATEWAY_SECRET .*add the secret of before/);
    await waitFor('the other task to come back', async () => {
      return (await socketOf(last, after.key)) === 'assigned';
    });
    await fullPasses(last.launcher, 2);
    // It goes on serving without a socket, nothing is doubled, and its room's end is its own.
    expect((await served(last, 'before')).agent.sid).toBe(before.agent.sid);
    expect(launches(last.launcher)).toEqual([]);
    await last.rooms.deleteRoom('before');
    expect(await ended(last.launcher, before.key)).toMatchObject({ verdict: 'served' });
    for (const secret of [OLD, NEW, derived(OLD, before.key), derived(NEW, after.key)]) {
      expect(last.launcher.output() + both.launcher.output()).not.toContain(secret);
    }
  });

  test('of webhooks: the older and the newer key both sign, and no third', async () => {
    const LAUNCHER_WEBHOOK_KEYS = Object.entries(WEBHOOK_KEYS)
      .map((pair) => pair.join(':'))
      .join();
    const webhookUrls = ['http://127.0.0.1:9/webhook'];
    const env = { LAUNCHER_WEBHOOK_KEYS, LAUNCHER_RESYNC_SECONDS: '3600' };
    const bed = await startBed(cleanup, { env, livekit: { webhookUrls } });
    const { server, rooms, launcher } = bed;
    const send = async (key: string, secret: string) => {
      const { sid, name } = await rooms.createRoom({ name: `by ${key}` });
      const body = JSON.stringify({ event: 'room_started', room: { sid, name } });
      const token = new AccessToken(key, secret, { ttl: 60 });
      token.sha256 = createHash('sha256').update(body).digest('base64');
      const headers = { authorization: await token.toJwt() };
      return (await fetch(launcher.webhookUrl, { method: 'POST', body, headers })).status;
    };
    const signers = { ...WEBHOOK_KEYS, [server.apiKey]: server.apiSecret.reveal() };
    for (const [key, secret] of Object.entries(signers)) {
      expect(await send(key, secret)).toBe(200);
      await served(bed, `by ${key}`);
      await rooms.deleteRoom(`by ${key}`);
    }
    expect(await send('APIolder', WEBHOOK_KEYS.APInewer)).toBe(401);
    expect(await send('APIthird', WEBHOOK_KEYS.APInewer)).toBe(401);
    expect(launches(launcher)).toHaveLength(3);
  });
});
