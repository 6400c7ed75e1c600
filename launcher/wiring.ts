/**
 * The parts of `room-launcher serve` wired together: which part is handed what. Opened in the order
 * in which they need each other, closed in the reverse one.
 */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createAdminListener } from './admin/listener.ts';
import type { AdminHost, PartState } from './admin/ports.ts';
import { roomRows, taskRows } from './admin/rows.ts';
import { gatewayUrlOf, type Config } from './config.ts';
import type { RoomMemory } from './core/remembered.ts';
import { TASK_ATTRIBUTE } from './core/room.ts';
import type { Driver, TaskKey } from './driver.ts';
import { type DriverChoice, openDriver } from './drivers/index.ts';
import type { NetworkChoice } from './drivers/docker/network.ts';
import { defaultStateDir, essentialEnv } from './drivers/process/environment.ts';
import { taskSecret } from './gateway/credentials.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Gateway } from './gateway/ports.ts';
import { systemClock } from './lib/clock.ts';
import { reasonOf, type Log } from './lib/log.ts';
import type { Outage } from './lib/outage.ts';
import type { LiveKit } from './livekit/rooms.ts';
import { callToken, roomToken } from './livekit/token.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { createWebhookListener } from './webhook/listener.ts';

/** A correct launcher could still be drawn into a loop: something that brings a room back. */
const LAUNCHES_PER_NAME_PER_MINUTE = 20;

/** Pulls that take longer go on when a launch asks for the image. */
const PREPARE_TIMEOUT_MS = 600_000;

const RUNNER = fileURLToPath(new URL('../agent-image/main.js', import.meta.url));

export type Close = () => Promise<void>;
export type Env = Readonly<Record<string, string | undefined>>;

export interface WiringOptions {
  readonly config: Config;
  readonly livekit: LiveKit;
  readonly log: Log;
  readonly env: Env;
  /** How each part that was opened is closed again, in the order of opening. */
  readonly opened: Close[];
}

/** Opens everything; resolves with what is to be started. Rejects with `ListenError`. */
export async function wire(options: WiringOptions): Promise<Reconciler> {
  const { config, livekit, log, opened } = options;
  const clock = systemClock;
  const driver = await openDriver(driverChoice(options));
  prepare(driver, config, log);
  opened.push(async () => driver[Symbol.asyncDispose]());
  const [gatewaySecret] = config.gatewaySecrets;
  const { deployment } = config;
  let gateway: Gateway | undefined;
  const reconciler = new Reconciler({
    livekit,
    driver,
    clock,
    log,
    random: Math.random,
    sockets: {
      offer: (key) => gateway?.offer(key),
      withdraw: (key) => gateway?.withdraw(key) ?? true,
      terminate: (key) => gateway?.terminate(key) ?? false,
      account: (key) => gateway?.account(key) ?? 'the launcher was starting',
    },
    profiles: config.profiles,
    bounds: { ...driver.traits.launches, perNamePerMinute: LAUNCHES_PER_NAME_PER_MINUTE },
    resyncMs: config.resyncMs,
    taskLivekitUrl: config.taskLivekitUrl,
    taskEnv: (key: TaskKey) => ({
      LIVEKIT_URL: gatewayUrlOf(config, gateway!.port),
      LIVEKIT_API_KEY: key,
      LIVEKIT_API_SECRET: taskSecret(gatewaySecret, deployment, key).reveal(),
    }),
  });
  const door = await openGateway(options, reconciler);
  gateway = door;
  opened.push(async () => door[Symbol.asyncDispose]());
  const host = adminHost(reconciler, door);
  const admin = await createAdminListener({ listen: config.adminListen, host, log, clock });
  opened.push(
    () => admin.close(),
    () => reconciler.stop(),
  );
  const webhook = await openWebhook(options, reconciler);
  opened.push(() => webhook.close());
  const ports = { webhook_port: webhook.port, gateway_port: door.port, admin_port: admin.port };
  log.info('listening', ports);
  return reconciler;
}

function openGateway({ config, log }: WiringOptions, reconciler: Reconciler): Promise<Gateway> {
  return createGateway({
    listen: config.gatewayListen,
    settingName: 'LAUNCHER_GATEWAY_LISTEN',
    deployment: config.deployment,
    secrets: config.gatewaySecrets,
    taskLivekitUrl: config.taskLivekitUrl,
    mintToken: (request) => roomToken(config.livekit, request),
    livekitUrl: config.livekit.url,
    mintCallToken: (grant, roomName) => callToken(config.livekit, grant, roomName),
    host: {
      admit: (key) => reconciler.handOver.admit(key),
      look: (key, signal) => reconciler.handOver.look(key, signal),
      roomOf: (key, signal) => reconciler.handOver.roomOf(key, signal),
      changed: (key, change) => reconciler.socketChanged(key, change),
    },
    clock: systemClock,
    log,
  });
}

function openWebhook({ config, log }: WiringOptions, reconciler: Reconciler) {
  return createWebhookListener({
    listen: config.webhookListen,
    keys: config.webhookKeys,
    taskAttribute: TASK_ATTRIBUTE,
    clock: systemClock,
    log,
    nudge: (nudge) => reconciler.heard(nudge),
    healthy: () => true,
  });
}

function driverChoice({ config, env, log }: WiringOptions): DriverChoice {
  const { engine, deployment } = config;
  if (engine.driver === 'process') {
    return {
      driver: 'process',
      stateDir: defaultStateDir(env),
      deployment,
      command: (agentFile) => [process.execPath, RUNNER, agentFile],
      baseEnv: essentialEnv(env),
      log,
    };
  }
  if (engine.driver === 'ecs') return { ...engine, deployment, clock: systemClock, log };
  return {
    driver: 'docker',
    deployment,
    engine: engineAddress(env),
    network: networkChoice(engine.network),
    clock: systemClock,
    log,
  };
}

/** The docker client's own variables. */
function engineAddress(env: Env) {
  const host = env['DOCKER_HOST'];
  const certPath = env['DOCKER_CERT_PATH'];
  return {
    ...(host ? { host } : {}),
    ...(certPath ? { certPath } : {}),
    ...(env['DOCKER_TLS_VERIFY'] ? { tls: true } : {}),
  };
}

function networkChoice(network: string | null): NetworkChoice {
  if (network === null) return { mode: 'own' };
  return network === 'host' ? { mode: 'host' } : { name: network };
}

/** Sees to what launches need while nobody waits; an engine that is away is said by its outage. */
function prepare(driver: Driver, config: Config, log: Log): void {
  const launched = config.profiles.list.filter((profile) => profile.launch !== false);
  driver.prepare?.(launched, AbortSignal.timeout(PREPARE_TIMEOUT_MS)).catch((error: unknown) => {
    log.debug('what launches need could not be seen to ahead', { reason: reasonOf(error) });
  });
}

function adminHost(reconciler: Reconciler, gateway: Gateway): AdminHost {
  const { memory, observer } = reconciler;
  const seen = () => ({
    memory,
    tasks: observer.allTasks(),
    sockets: gateway.sockets(),
    isReadyStandby: (key: TaskKey) => reconciler.isReadyStandby(key),
    profileOf: (room: RoomMemory) => reconciler.profileOf(room).name || null,
  });
  return {
    healthy: () => true,
    ready: () => ({
      ready: memory.firstPassAtMs !== null,
      firstPassDone: memory.firstPassAtMs !== null,
      gatewayListening: true,
      livekit: partState(reconciler.livekitOutage),
      engine: partState(reconciler.engineOutage),
    }),
    rooms: () => roomRows(seen()),
    tasks: () => taskRows(seen()),
    stopRoom: async (name) => reconciler.stopRoom(name),
    stopTask: async (key) => reconciler.stopTask(key),
  };
}

function partState({ current }: Outage): PartState {
  if (current === null) return { state: 'up', since: null, reason: null };
  const since = new Date(current.sinceMs).toISOString();
  return { state: 'down', since, reason: current.reason };
}
