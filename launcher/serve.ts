/**
 * `room-launcher serve`: the parts wired together, and their orderly start and end.
 *
 * Start: settings, one call that proves LiveKit's credentials, the three listeners, the first pass.
 * End: no more webhooks, the passes that run are finished, sockets are closed. Tasks stay: they
 * reconnect to the next launcher.
 */
import { describeConfig, parseConfig, type ParsedConfig } from './config.ts';
import { loadSources } from './config/load.ts';
import { shadowedProfiles } from './core/desired.ts';
import { DriverError } from './driver.ts';
import { ListenError } from './lib/listen.ts';
import { LiveKitError } from './livekit/errors.ts';
import { createLiveKit, type LiveKit } from './livekit/rooms.ts';
import { createLog } from './telemetry/log.ts';
import { wire, type Close, type Env } from './wiring.ts';

const EXIT_OK = 0;
const EXIT_CONFIG = 64;
const SHADOWED =
  'this profile serves only rooms whose metadata names it: an earlier one matches every room';
const LIVEKIT_TIMEOUT_MS = 10_000;

export interface ServeIo {
  readonly env: Env;
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
  for (const { name, by } of shadowedProfiles(config.profiles)) {
    log.warn(SHADOWED, { profile: name, earlier_profile: by });
  }
  const livekit = createLiveKit({ ...config.livekit, requestTimeoutMs: LIVEKIT_TIMEOUT_MS });
  const refusal = await credentialsRefused(livekit, io.signal);
  if (refusal !== null) return refuse(io, [refusal]);
  if (io.signal.aborted) return EXIT_OK;
  const opened: Close[] = [];
  try {
    const reconciler = await wire({ config, livekit, log, env: io.env, opened });
    await Promise.race([reconciler.start(), aborted(io.signal)]);
    await aborted(io.signal);
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

function readConfig(io: ServeIo): ParsedConfig {
  const loaded = loadSources(io);
  return 'error' in loaded ? { errors: [loaded.error] } : parseConfig(loaded.sources);
}

/** One call at start: a wrong key or secret would otherwise only show as rooms without agents. */
async function credentialsRefused(livekit: LiveKit, end: AbortSignal): Promise<string | null> {
  try {
    await livekit.listRooms(AbortSignal.any([end, AbortSignal.timeout(LIVEKIT_TIMEOUT_MS)]));
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
