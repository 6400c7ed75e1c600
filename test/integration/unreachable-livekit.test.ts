/**
 * A LiveKit server that is away when the launcher starts: not the launcher's end. It tries again, says
 * so once, shows it in `/readyz`, takes webhooks meanwhile, and comes good with the server.
 */
import { afterEach, expect, test } from 'vitest';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseRecord } from '../../launcher/dev/launcher-log.ts';
import { killLeftovers } from '../../launcher/dev/leftovers.ts';
import { startChild } from '../../launcher/dev/process.ts';
import { Cleanup } from '../support/cleanup.ts';
import { GOOD_ENV, MAIN } from '../support/command.ts';
import { freeLauncherPorts, roomClient } from '../support/launcher.ts';
import { describeWithLiveKit, startTestServer } from '../support/livekit-server.ts';
import { served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const get = (port: number, path: string) => fetch(`http://127.0.0.1:${port}${path}`);

describeWithLiveKit('a LiveKit server that is away at the start', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function startLauncher(env: Record<string, string>) {
    const { PATH, HOME } = process.env;
    const state = await mkdtemp(join(tmpdir(), 'unreachable-'));
    const ports = await freeLauncherPorts();
    const child = await startChild(process.execPath, [MAIN, 'serve'], {
      env: {
        PATH,
        HOME,
        ...GOOD_ENV,
        LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${ports.webhook}`,
        LAUNCHER_GATEWAY_LISTEN: `127.0.0.1:${ports.gateway}`,
        LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${ports.admin}`,
        XDG_STATE_HOME: state,
        ...env,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanup.defer(async () => {
      await child.kill();
      await killLeftovers(join(state, 'room-launcher', 'default'));
      await rm(state, { recursive: true, maxRetries: 5 });
    });
    let text = '';
    child.process.stdout?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const lines = () => text.split('\n').flatMap((line) => parseRecord(line) ?? []);
    return { child, ports, lines };
  }

  test('is retried, said once, shown in /readyz, and served when it is there', async () => {
    const server = cleanup.use(await startTestServer());
    await server.stop();
    const { child, ports, lines } = await startLauncher({
      LIVEKIT_URL: server.url,
      LIVEKIT_API_KEY: server.apiKey,
      LIVEKIT_API_SECRET: server.apiSecret.reveal(),
      LAUNCHER_RESYNC_SECONDS: '1',
      LAUNCHER_LOG_LEVEL: 'debug',
    });
    const saying = (msg: string) => lines().filter(({ fields }) => fields['msg'] === msg);
    const retries = () => saying('a full pass could not look');
    await waitFor('three tries', () => retries().length >= 3);

    expect(saying('LiveKit does not answer; retrying')).toMatchObject([{ level: 'warn' }]);
    expect(lines().filter(({ level }) => level === 'error')).toEqual([]);
    const waits = retries().map(({ fields }) => fields['again_in_ms']);
    expect(waits.slice(0, 3)).toEqual([1_000, 1_000, 1_000]);
    const notReady = await get(ports.admin, '/readyz');
    expect(notReady.status).toBe(503);
    expect(await notReady.json()).toMatchObject({
      ready: false,
      firstPassDone: false,
      livekit: {
        state: 'down',
        reason: `LIVEKIT_URL is ${server.url.replace('ws', 'http')}: no answer (ECONNREFUSED)`,
      },
      engine: { state: 'up' },
    });
    expect((await get(ports.webhook, '/healthz')).status).toBe(200);
    const webhook = await fetch(`http://127.0.0.1:${ports.webhook}/webhook`, { method: 'POST' });
    expect(webhook.status).toBe(401);

    await server.start();
    await waitFor('readiness', async () => (await get(ports.admin, '/readyz')).ok);
    expect(saying('LiveKit answers again')).toHaveLength(1);
    const rooms = roomClient(server);
    await rooms.createRoom({ name: 'late' });
    await served({ rooms }, 'late');

    child.process.kill('SIGTERM');
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });

  test('that takes the call and never answers holds up no end', async () => {
    await using silent = createServer((socket) => socket.on('error', () => {}).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const bound = silent.address();
    const called = once(silent, 'connection');
    const { child } = await startLauncher({
      LIVEKIT_URL: `ws://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`,
    });
    await called;
    child.process.kill('SIGTERM');
    // Sooner than the call gives up by itself.
    await waitFor('its end', () => child.hasEnded(), 8_000);
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });
});
