/**
 * `room-launcher serve`: the parts wired together, and their orderly start and end.
 *
 * Start: settings, one call that proves LiveKit's credentials, the three listeners, the first pass.
 * End: no more webhooks, the passes that run are finished, sockets are closed. Tasks stay: they
 * reconnect to the next launcher.
 */
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIG_FILE_SETTING, describeConfig, parseConfig, type ParsedConfig } from './config.ts';
import { readYamlFile } from './config/yaml-file.ts';
import { DriverError } from './driver.ts';
import { ListenError } from './lib/listen.ts';
import { LiveKitError } from './livekit/errors.ts';
import { createLiveKit, type LiveKit } from './livekit/rooms.ts';
import { createLog } from './telemetry/log.ts';
import { wire, type Close, type Env } from './wiring.ts';

const EXIT_OK = 0;
const EXIT_CONFIG = 64;
const LIVEKIT_TIMEOUT_MS = 10_000;

const EXAMPLE_AGENT = fileURLToPath(new URL('../agent-image/examples/agent.js', import.meta.url));

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

/** Settings from the environment and from the file that it names. */
function readConfig({ env, cwd }: ServeIo): ParsedConfig {
  const path = env[CONFIG_FILE_SETTING];
  const file = path
    ? readYamlFile(path, (name) => readFileSync(resolve(cwd, name), 'utf8'))
    : { content: undefined };
  if ('error' in file) return { errors: [file.error] };
  return parseConfig({
    env,
    file: file.content,
    baseDir: cwd,
    isReadableFile,
    readSecretFile: (name) => readFileSync(name, 'utf8'),
    defaultAgentFile: EXAMPLE_AGENT,
  });
}

function isReadableFile(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
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
