/**
 * For `dashboard.mjs`: a launcher in a process of its own, with a real LiveKit server's rooms, tasks
 * of the engine in memory and agents that are said to be there: hundreds of rooms on a small machine.
 * Told `usage` over IPC it answers with its CPU time and memory.
 */
import process from 'node:process';
import { adminHost } from '../../dist/launcher/admin-host.js';
import { createAdminListener } from '../../dist/launcher/admin/listener.js';
import { agentIdentity, TASK_ATTRIBUTE } from '../../dist/launcher/core/room.js';
import { memoryDriver, MemoryEngine } from '../../dist/launcher/drivers/memory.js';
import { systemClock as clock } from '../../dist/launcher/lib/clock.js';
import { Secret } from '../../dist/launcher/lib/secret.js';
import { createLiveKit } from '../../dist/launcher/livekit/rooms.js';
import { Reconciler } from '../../dist/launcher/reconcile/reconciler.js';
import { createLog } from '../../dist/launcher/telemetry/log.js';
import { Minutes } from '../../dist/launcher/telemetry/minutes.js';
import { RecentEvents } from '../../dist/launcher/telemetry/recent.js';
import { StartUps } from '../../dist/launcher/telemetry/start-ups.js';
import { createWebhookListener } from '../../dist/launcher/webhook/listener.js';
import { profiles } from './profile.mjs';

const { url, apiKey, secret, webhookPort } = JSON.parse(process.argv[2]);
const apiSecret = new Secret(secret);
const watched = {
  recent: new RecentEvents(clock.nowMs()),
  startUps: new StartUps(),
  minutes: new Minutes(clock),
};
const listeners = Object.values(watched).map(({ listener }) => listener);
const log = createLog({ level: 'silent', redact: [apiSecret], listeners, clock });
const http = { url: url.replace('ws', 'http'), apiKey, apiSecret, requestTimeoutMs: 10_000 };
const real = createLiveKit(http);
const engine = new MemoryEngine({ nowMs: () => clock.nowMs(), startDelayMs: 300 });
const driver = memoryDriver(engine, { deployment: 'bench' });
const livekit = {
  ...real,
  async listParticipants(name) {
    const [room] = reconciler.memory.named(name);
    const key = room && `r-${room.sid}-1`;
    const there = [...engine.tasks.values()].some((task) => task.key === key);
    const attributes = { [TASK_ATTRIBUTE]: key };
    return there ? [{ identity: agentIdentity(room.sid), kind: 'agent', attributes }] : [];
  },
};
const reconciler = new Reconciler({
  livekit,
  driver,
  clock,
  log,
  random: Math.random,
  sockets: {
    offer() {},
    withdraw: () => true,
    terminate: () => false,
    account: () => 'has no socket',
  },
  profiles,
  bounds: { inFlight: 50, perSecond: 100, perNamePerMinute: 1_000 },
  resyncMs: 30_000,
  taskLivekitUrl: url,
  taskEnv: () => ({}),
});
const webhookListen = { host: '127.0.0.1', port: webhookPort };
const config = { deployment: 'bench', webhookListen, profiles };
const gateway = { sockets: () => new Map() };
const host = adminHost({ reconciler, gateway, driver, config, watched });
const admin = await createAdminListener({
  listen: { host: '127.0.0.1', port: 0 },
  host,
  log,
  clock,
});
await createWebhookListener({
  listen: webhookListen,
  keys: [{ key: apiKey, secret: apiSecret }],
  taskAttribute: TASK_ATTRIBUTE,
  clock,
  log,
  nudge: (nudge) => reconciler.heard(nudge),
  healthy: () => true,
});
await reconciler.start();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send({
    cpuMs: (user + system) / 1_000,
    rss: process.memoryUsage.rss(),
    at: performance.now(),
  });
});
process.on('disconnect', () => process.exit(0));
process.send({ port: admin.port });
