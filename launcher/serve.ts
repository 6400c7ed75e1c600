/**
 * `room-launcher serve`: the parts wired together, and their orderly start and end.
 *
 * Start: settings, one call that proves LiveKit's credentials, the three listeners, the first pass.
 * End: no more webhooks, the passes that run are finished, sockets are closed. Tasks stay: they
 * reconnect to the next launcher.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { createAdminListener } from './admin/listener.ts';
import type { AdminHost, PartState } from './admin/ports.ts';
import { roomRows, taskRows } from './admin/rows.ts';
import {
  CONFIG_FILE_SETTING,
  describeConfig,
  gatewayUrlOf,
  parseConfig,
  type Config,
  type ParsedConfig,
} from './config.ts';
import { TASK_ATTRIBUTE } from './core/room.ts';
import type { Driver, TaskKey } from './driver.ts';
import { NO_ISOLATION_NOTICE, processDriver } from './drivers/process/driver.ts';
import { defaultStateDir, essentialEnv } from './drivers/process/environment.ts';
import { taskSecret } from './gateway/credentials.ts';
import { createGateway } from './gateway/gateway.ts';
import type { Gateway } from './gateway/ports.ts';
import { systemClock } from './lib/clock.ts';
import { ListenError } from './lib/listen.ts';
import { reasonOf, type Log } from './lib/log.ts';
import type { Outage } from './lib/outage.ts';
import { LiveKitError } from './livekit/errors.ts';
import { createLiveKit, type LiveKit } from './livekit/rooms.ts';
import { roomToken } from './livekit/token.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { createLog } from './telemetry/log.ts';
import { createWebhookListener } from './webhook/listener.ts';

type Close = () => Promise<void>;

const EXIT_OK = 0;
const EXIT_CONFIG = 64;
const LIVEKIT_TIMEOUT_MS = 10_000;
/** Launches in flight per core: more would only slow each other down. */
const LAUNCHES_PER_CORE = 2;
const LAUNCHES_PER_SECOND = 20;
const LAUNCHES_PER_NAME_PER_MINUTE = 20;

const RUNNER = fileURLToPath(new URL('../agent-image/main.js', import.meta.url));
const EXAMPLE_AGENT = fileURLToPath(new URL('../agent-image/examples/agent.js', import.meta.url));

export interface ServeIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stderr: { write(text: string): unknown };
  /** Aborts when the launcher is to end. */
  readonly signal: AbortSignal;
}

/** Runs until the signal aborts. Resolves with the exit code: 0, or 64 for a start that cannot be. */
export async function serve(io: ServeIo): Promise<number> {
  const parsed = readConfig(io);
  if ('errors' in parsed) return refuse(io, parsed.errors);
  const { config } = parsed;
  const secrets = [config.livekit.apiSecret, ...config.gatewaySecrets];
  const webhookSecrets = config.webhookKeys.map((pair) => pair.secret);
  const log = createLog({ level: config.logLevel, redact: [...secrets, ...webhookSecrets] });
  log.info('starting', describeConfig(config));
  log.warn(NO_ISOLATION_NOTICE);
  const livekit = createLiveKit({ ...config.livekit, requestTimeoutMs: LIVEKIT_TIMEOUT_MS });
  const refusal = await credentialsRefused(livekit);
  if (refusal !== null) return refuse(io, [refusal]);
  const opened: Close[] = [];
  try {
    await start(config, livekit, log, io, opened);
    await aborted(io.signal);
    log.info('ending; tasks stay as they are', { signal: String(io.signal.reason) });
    return EXIT_OK;
  } catch (error) {
    if (error instanceof ListenError) return refuse(io, [error.message]);
    throw error;
  } finally {
    for (const close of opened.toReversed()) await close();
  }
}

/** Opens everything, and notes in `opened` how each part is closed again. */
async function start(
  config: Config,
  livekit: LiveKit,
  log: Log,
  { env, signal }: ServeIo,
  opened: Close[],
): Promise<void> {
  const clock = systemClock;
  const driver = openDriver(config, env, log);
  opened.push(async () => driver[Symbol.asyncDispose]());
  const [gatewaySecret] = config.gatewaySecrets;
  const { deployment } = config;
  let gateway: Gateway | undefined;
  const reconciler = new Reconciler({
    livekit,
    driver,
    clock,
    log,
    sockets: {
      terminate: (key) => gateway?.terminate(key) ?? false,
      offerNow: (key) => gateway?.offerNow(key),
    },
    profile: config.profiles[0]!,
    bounds: launchBounds(),
    resyncMs: config.resyncMs,
    taskEnv: (key: TaskKey) => ({
      LIVEKIT_URL: gatewayUrlOf(config, gateway!.port),
      LIVEKIT_API_KEY: key,
      LIVEKIT_API_SECRET: taskSecret(gatewaySecret, deployment, key).reveal(),
    }),
  });
  const door = await createGateway({
    listen: config.gatewayListen,
    settingName: 'LAUNCHER_GATEWAY_LISTEN',
    deployment,
    secrets: config.gatewaySecrets,
    taskLivekitUrl: config.taskLivekitUrl,
    mintToken: (request) => roomToken(config.livekit, request),
    host: {
      admit: (key) => reconciler.handOver.admit(key),
      look: (key, signal) => reconciler.handOver.look(key, signal),
      changed: (key) => reconciler.socketChanged(key),
    },
    clock,
    log,
  });
  gateway = door;
  opened.push(async () => door[Symbol.asyncDispose]());
  const host = adminHost(reconciler, door, config);
  const admin = await createAdminListener({ listen: config.adminListen, host, log, clock });
  opened.push(
    () => admin.close(),
    () => reconciler.stop(),
  );
  const webhook = await createWebhookListener({
    listen: config.webhookListen,
    keys: config.webhookKeys,
    taskAttribute: TASK_ATTRIBUTE,
    clock,
    log,
    nudge: (nudge) => reconciler.heard(nudge),
    healthy: () => true,
  });
  opened.push(() => webhook.close());
  const ports = { webhook_port: webhook.port, gateway_port: door.port, admin_port: admin.port };
  log.info('listening', ports);
  await Promise.race([reconciler.start(), aborted(signal)]);
}

function openDriver(config: Config, env: ServeIo['env'], log: Log): Driver {
  return processDriver({
    stateDir: defaultStateDir(env),
    deployment: config.deployment,
    command: (agentFile) => [process.execPath, RUNNER, agentFile],
    baseEnv: essentialEnv(env),
    log,
  });
}

/** Cores decide how many launches at once are quickest; the rates only stop a runaway. */
function launchBounds() {
  return {
    inFlight: LAUNCHES_PER_CORE * availableParallelism(),
    perSecond: LAUNCHES_PER_SECOND,
    perNamePerMinute: LAUNCHES_PER_NAME_PER_MINUTE,
  };
}

function adminHost(reconciler: Reconciler, gateway: Gateway, config: Config): AdminHost {
  const { memory, observer } = reconciler;
  const seen = () => ({
    memory,
    tasks: observer.allTasks(),
    sockets: gateway.sockets(),
    profile: config.profiles[0]!.name,
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

/** Settings from the environment and from the file that it names. */
function readConfig({ env, cwd }: ServeIo): ParsedConfig {
  const path = env[CONFIG_FILE_SETTING];
  let file: unknown;
  if (path) {
    try {
      file = parse(readFileSync(resolve(cwd, path), 'utf8'));
    } catch (error) {
      return { errors: [`${CONFIG_FILE_SETTING} is "${path}": ${reasonOf(error)}`] };
    }
  }
  const readSecretFile = (name: string) => readFileSync(name, 'utf8');
  return parseConfig({ env, file, baseDir: cwd, readSecretFile, defaultAgentFile: EXAMPLE_AGENT });
}

/** One call at start: a wrong key or secret would otherwise only show as rooms without agents. */
async function credentialsRefused(livekit: LiveKit): Promise<string | null> {
  try {
    await livekit.listRooms(AbortSignal.timeout(LIVEKIT_TIMEOUT_MS));
  } catch (error) {
    if (error instanceof LiveKitError && error.kind === 'unauthorized') return error.message;
  }
  return null;
}

function refuse({ stderr }: ServeIo, errors: readonly string[]): number {
  for (const error of errors) stderr.write(`room-launcher: ${error}\n`);
  return EXIT_CONFIG;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolved) => {
    if (signal.aborted) resolved();
    else signal.addEventListener('abort', () => resolved(), { once: true });
  });
}
