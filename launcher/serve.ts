/**
 * `room-launcher serve`: the parts wired together, and their orderly start and end.
 *
 * Start: settings, one call that proves LiveKit's credentials, the three listeners, the first pass.
 * End: no more webhooks, the passes that run are finished, sockets are closed. Tasks stay: they
 * reconnect to the next launcher.
 */
import { type Config, describeConfig, parseConfig, type ParsedConfig } from './config.ts';
import { loadSources } from './config/load.ts';
import { shadowedProfiles } from './core/desired.ts';
import { DriverError } from './driver.ts';
import { openDriver } from './drivers/index.ts';
import { untilAborted } from './lib/abort.ts';
import { systemClock } from './lib/clock.ts';
import { EXIT_OK, EXIT_USAGE } from './lib/exit-codes.ts';
import { ListenError } from './lib/listen.ts';
import { ownVersion } from './lib/version.ts';
import { LiveKitError } from './livekit/errors.ts';
import { createLiveKit, type LiveKit } from './livekit/rooms.ts';
import { createLog } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { Minutes } from './telemetry/minutes.ts';
import { RecentEvents } from './telemetry/recent.ts';
import { StartUps } from './telemetry/start-ups.ts';
import { openTraces } from './telemetry/traces.ts';
import { wire, type Close, type Env, type Watched } from './wiring.ts';

const SHADOWED =
  'this profile serves only rooms whose metadata names it: an earlier one matches every room';
export const LIVEKIT_TIMEOUT_MS = 10_000;

export interface ServeIo {
  readonly env: Env;
  readonly cwd: string;
  readonly stderr: { write(text: string): unknown };
  /** Aborts when the launcher is to end. */
  readonly signal: AbortSignal;
}

/**
 * Runs until the signal aborts. Resolves with the exit code: 0, or 64 for a start that cannot be.
 * `open` gives the driver of the engine that the settings name.
 */
export async function serve(io: ServeIo, open = openDriver): Promise<number> {
  const parsed = readConfig(io);
  if ('errors' in parsed) return refuse(io, parsed.errors);
  const { config } = parsed;
  const secrets = [config.livekit.apiSecret, ...config.gatewaySecrets];
  const webhookSecrets = config.webhookKeys.map((pair) => pair.secret);
  const { recent, startUps, minutes, metrics } = watch(config);
  const listeners = [startUps, minutes, recent, metrics].map(({ listener }) => listener);
  const log = createLog({
    level: config.logLevel,
    redact: [...secrets, ...webhookSecrets],
    listeners,
    clock: systemClock,
  });
  log.info('starting', describeConfig(config));
  for (const { name, by } of shadowedProfiles(config.profiles)) {
    log.warn(SHADOWED, { profile: name, earlier_profile: by });
  }
  const livekit = createLiveKit({ ...config.livekit, requestTimeoutMs: LIVEKIT_TIMEOUT_MS });
  const { deployment } = config;
  const [refusal, traces] = await Promise.all([
    credentialsRefused(livekit, io.signal),
    openTraces({ env: io.env, deployment, startUps, clock: systemClock, log }),
  ]);
  if (refusal !== null) return refuse(io, [refusal]);
  if (io.signal.aborted) return EXIT_OK;
  const opened: Close[] = [];
  if (traces !== null) {
    listeners.push(traces.listener);
    opened.push(() => traces.close());
  }
  const watched = { recent, startUps, minutes, metrics, traces };
  try {
    const reconciler = await wire({ config, livekit, log, watched, env: io.env, open, opened });
    await Promise.race([reconciler.start(), untilAborted(io.signal)]);
    await untilAborted(io.signal);
    log.info('ending; tasks stay as they are', { signal: String(io.signal.reason) });
    return EXIT_OK;
  } catch (error) {
    const invalid = error instanceof DriverError && error.kind === 'invalid';
    if (error instanceof ListenError || invalid) return refuse(io, [error.message]);
    throw error;
  } finally {
    for (const close of opened.toReversed()) await close();
  }
}

/** What wide events are made into, for those who look at the launcher. */
function watch({ engine, deployment, profiles, resyncMs }: Config): Omit<Watched, 'traces'> {
  const metrics = new Metrics({
    version: ownVersion(),
    driver: engine.driver,
    deployment,
    profiles: profiles.list,
    resyncMs,
    clock: systemClock,
  });
  const recent = new RecentEvents(systemClock.nowMs());
  const minutes = new Minutes(systemClock);
  return { recent, minutes, metrics, startUps: new StartUps(metrics.reached) };
}

/** The settings, as `serve` takes them. */
export function readConfig(io: Pick<ServeIo, 'env' | 'cwd'>): ParsedConfig {
  const loaded = loadSources(io);
  return 'error' in loaded ? { errors: [loaded.error] } : parseConfig(loaded.sources);
}

/** One call at start: a wrong key or secret would otherwise only show as rooms without agents. */
export async function credentialsRefused(
  livekit: LiveKit,
  end: AbortSignal,
): Promise<string | null> {
  try {
    await livekit.listRooms(AbortSignal.any([end, AbortSignal.timeout(LIVEKIT_TIMEOUT_MS)]));
  } catch (error) {
    if (error instanceof LiveKitError && error.kind === 'unauthorized') return error.message;
  }
  return null;
}

/** Says why it cannot start; gives the exit code. */
export function refuse({ stderr }: Pick<ServeIo, 'stderr'>, errors: readonly string[]): number {
  for (const error of errors) stderr.write(`room-launcher: ${error}\n`);
  return EXIT_USAGE;
}
