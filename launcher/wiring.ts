/**
 * The parts of `room-launcher serve` wired together: which part is handed what. Opened in the order
 * in which they need each other, closed in the reverse one.
 */
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createAdminListener } from './admin/listener.ts';
import { adminHost } from './admin-host.ts';
import { gatewayUrlOf, type Config } from './config.ts';
import { TASK_ATTRIBUTE } from './core/room.ts';
import type { Driver, TaskKey } from './driver.ts';
import type { DriverChoice, openDriver } from './drivers/index.ts';
import { measuredDriver } from './drivers/measured.ts';
import type { NetworkChoice } from './drivers/docker/network.ts';
import { defaultStateDir, essentialEnv } from './drivers/process/environment.ts';
import { taskSecret } from './gateway/credentials.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Gateway } from './gateway/ports.ts';
import { TRACEPARENT_ATTRIBUTE } from './gateway/wire.ts';
import { systemClock } from './lib/clock.ts';
import { reasonOf, type Log } from './lib/log.ts';
import { measuredLiveKit } from './livekit/measured.ts';
import type { LiveKit } from './livekit/rooms.ts';
import { callToken, roomToken, type RoomTokenRequest } from './livekit/token.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Minutes } from './telemetry/minutes.ts';
import type { RecentEvents } from './telemetry/recent.ts';
import type { StartUps } from './telemetry/start-ups.ts';
import type { Traces } from './telemetry/traces.ts';
import { createWebhookListener } from './webhook/listener.ts';

/** A correct launcher could still be drawn into a loop: something that brings a room back. */
const LAUNCHES_PER_NAME_PER_MINUTE = 20;

/** Pulls that take longer go on when a launch asks for the image. */
const PREPARE_TIMEOUT_MS = 600_000;

const RUNNER = fileURLToPath(new URL('../agent-image/main.js', import.meta.url));

export type Close = () => Promise<void>;
export type Env = Readonly<Record<string, string | undefined>>;

/** What is made of the wide events. */
export interface Watched {
  readonly recent: RecentEvents;
  readonly startUps: StartUps;
  readonly minutes: Minutes;
  readonly metrics: Metrics;
  /** Null: off. */
  readonly traces: Traces | null;
}

export interface WiringOptions {
  readonly config: Config;
  readonly livekit: LiveKit;
  readonly log: Log;
  readonly watched: Watched;
  readonly env: Env;
  readonly open: typeof openDriver;
  /** How each part that was opened is closed again, in the order of opening. */
  readonly opened: Close[];
}

/** Opens everything; resolves with what is to be started. Rejects with `ListenError`. */
export async function wire(options: WiringOptions): Promise<Reconciler> {
  const { config, log, watched, opened } = options;
  const clock = systemClock;
  const { metrics } = watched;
  const livekit = measuredLiveKit(options.livekit, clock, metrics.livekitCall);
  const opening = await options.open(driverChoice(options));
  const driver = measuredDriver(opening, clock, metrics.engineCall);
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
  const host = adminHost({ reconciler, gateway: door, driver, config, watched });
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

function openGateway(
  { config, log, watched }: WiringOptions,
  reconciler: Reconciler,
): Promise<Gateway> {
  return createGateway({
    listen: config.gatewayListen,
    settingName: 'LAUNCHER_GATEWAY_LISTEN',
    deployment: config.deployment,
    secrets: config.gatewaySecrets,
    taskLivekitUrl: config.taskLivekitUrl,
    mintToken: (request) => roomToken(config.livekit, inTrace(request, watched.traces)),
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

/** The trace goes on in the agent: its context travels as an attribute, in the token of its job. */
function inTrace(request: RoomTokenRequest, traces: Traces | null): RoomTokenRequest {
  if (traces === null) return request;
  const traceparent = traces.traceparent(request.taskKey, request.sid);
  const participantAttributes = {
    ...request.participantAttributes,
    [TRACEPARENT_ATTRIBUTE]: traceparent,
  };
  return { ...request, participantAttributes };
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

/** The driver that the settings name, and how it is opened. */
export function driverChoice({
  config,
  env,
  log,
}: Pick<WiringOptions, 'config' | 'env' | 'log'>): DriverChoice {
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
export function engineAddress(env: Env) {
  const host = env['DOCKER_HOST'];
  const certPath = env['DOCKER_CERT_PATH'];
  return {
    ...(host ? { host } : {}),
    ...(certPath ? { certPath } : {}),
    ...(env['DOCKER_TLS_VERIFY'] ? { tls: true } : {}),
  };
}

/** As the driver takes the setting; null: a network of the deployment's own. */
export function networkChoice(network: string | null): NetworkChoice {
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
