/**
 * The launcher's settings, read once at start. `parseConfig` is pure: environment and file come as
 * arguments, and all errors come back at once, so that a wrong start is mended in one go.
 */
import { hkdfSync } from 'node:crypto';
import {
  type EngineConfig,
  type EngineSources,
  isLoopback,
  readEngine,
  readPath,
  taskHost,
} from './config/engine.ts';
import { type ListenConfig, readListeners } from './config/listeners.ts';
import { type Reader, settingsReader } from './config/reader.ts';
import { CONFIG_FILE_SETTING, SETTINGS } from './config/settings.ts';
import { gather, type Sources } from './config/sources.ts';
import type { KeyPair } from './config/values.ts';
import type { Profile } from './core/desired.ts';
import { assert } from './lib/assert.ts';
import { formatAddress } from './lib/listen.ts';
import { Secret } from './lib/secret.ts';

export { CONFIG_FILE_SETTING };
export type { EngineConfig };

export interface Config extends ListenConfig {
  readonly livekit: LiveKitConfig;
  /** `ws(s)://`: the server as tasks reach it. */
  readonly taskLivekitUrl: string;
  /** Keys that may sign webhooks; first the launcher's own. */
  readonly webhookKeys: readonly KeyPair[];
  /** One or more: the first derives tasks' credentials, all verify them. */
  readonly gatewaySecrets: readonly [Secret, ...Secret[]];
  readonly engine: EngineConfig;
  readonly deployment: string;
  /** As given; null: worked out once the gateway listens, by `gatewayUrlOf`. */
  readonly gatewayUrl: string | null;
  /** First match wins; never empty. */
  readonly profiles: readonly Profile[];
  readonly resyncMs: number;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export interface LiveKitConfig {
  /** `http(s)://`, for the server API. */
  readonly url: string;
  /** `ws(s)://`, for joining rooms. */
  readonly wsUrl: string;
  readonly apiKey: string;
  readonly apiSecret: Secret;
}

export interface ConfigSources extends Sources, EngineSources {}

export type ParsedConfig =
  { readonly config: Config } | { readonly errors: readonly [string, ...string[]] };

/** All settings, or every error: one line each, with setting, value (no secret) and what to do. */
export function parseConfig(sources: ConfigSources): ParsedConfig {
  const given = gather(sources);
  const errors = [...given.errors];
  const read = settingsReader(given, errors);

  const url = read.required(SETTINGS.livekitUrl);
  const apiKey = read.required(SETTINGS.livekitApiKey);
  const apiSecret = read.required(SETTINGS.livekitApiSecret);
  const taskUrl = read.optional(SETTINGS.taskLivekitUrl);
  const webhookKeys = read.orDefault(SETTINGS.webhookKeys, []);
  const [gatewaySecret, ...olderSecrets] = read.orDefault(SETTINGS.gatewaySecret, []);
  const listeners = readListeners(read, errors);
  const gatewayUrl = read.optional(SETTINGS.gatewayUrl) ?? null;
  const { engine, template } = readEngine(read, sources, errors);
  errors.push(...unreachableGateway(engine, listeners, gatewayUrl));
  const rest = {
    engine,
    deployment: read.orDefault(SETTINGS.deployment, 'default'),
    ...listeners,
    gatewayUrl,
    profiles: [readDefaultProfile(template, read, sources)],
    resyncMs: read.orDefault(SETTINGS.resyncSeconds, 30) * 1000,
    logLevel: read.orDefault(SETTINGS.logLevel, 'info'),
  };

  const [firstError, ...otherErrors] = errors;
  if (firstError !== undefined) return { errors: [firstError, ...otherErrors] };
  assert(url && apiKey && apiSecret, 'a required setting is missing without an error');
  const config = {
    ...rest,
    livekit: { url: withScheme(url, 'http'), wsUrl: withScheme(url, 'ws'), apiKey, apiSecret },
    taskLivekitUrl: withScheme(taskUrl ?? seenByTasks(engine, url), 'ws'),
    webhookKeys: [{ key: apiKey, secret: apiSecret }, ...webhookKeys],
    gatewaySecrets: [gatewaySecret ?? deriveGatewaySecret(apiSecret), ...olderSecrets],
  } as const;
  return { config };
}

/**
 * Where tasks of this machine dial the gateway; `port` is the one it listens on, known only then
 * when the setting's port is 0.
 */
export function gatewayUrlOf(config: Config, port: number): string {
  if (config.gatewayUrl !== null) return config.gatewayUrl;
  const host = taskHost(config.engine, config.gatewayListen.host);
  return `ws://${formatAddress({ host, port })}`;
}

/** What the start log says: flat, without any secret. */
export function describeConfig(config: Config): Readonly<Record<string, string | number>> {
  return {
    livekit_url: config.livekit.wsUrl,
    livekit_api_key: config.livekit.apiKey,
    task_livekit_url: config.taskLivekitUrl,
    driver: config.engine.driver,
    deployment: config.deployment,
    webhook_listen: formatAddress(config.webhookListen),
    gateway_listen: formatAddress(config.gatewayListen),
    admin_listen: formatAddress(config.adminListen),
    profiles: config.profiles.map(({ name, template }) => `${name}=${template}`).join(' '),
    resync_ms: config.resyncMs,
    log_level: config.logLevel,
  };
}

/** A URL on this machine's loopback, as tasks must write it. */
function seenByTasks(engine: EngineConfig, url: string): string {
  const seen = new URL(url);
  if (!isLoopback(seen.hostname)) return url;
  seen.hostname = taskHost(engine, seen.hostname);
  return seen.href.replace(/\/$/, '');
}

function unreachableGateway(
  engine: EngineConfig,
  { gatewayListen }: ListenConfig,
  gatewayUrl: string | null,
): string[] {
  const reachable = taskHost(engine, '127.0.0.1') === '127.0.0.1';
  if (reachable || gatewayUrl !== null || !isLoopback(gatewayListen.host)) return [];
  const what = `LAUNCHER_GATEWAY_LISTEN is ${formatAddress(gatewayListen)}`;
  return [
    `${what}: containers on a bridge cannot reach loopback; ` +
      'listen on 0.0.0.0, or set LAUNCHER_DOCKER_NETWORK=host',
  ];
}

function readDefaultProfile(template: string, read: Reader, sources: ConfigSources): Profile {
  const envFile = readPath(SETTINGS.agentEnvFile, read, sources);
  return {
    name: 'default',
    template,
    cpu: 1,
    memoryMiB: 1024,
    ...(envFile !== undefined && { envFile }),
    retries: read.orDefault(SETTINGS.retries, 3),
    startDeadlineMs: read.orDefault(SETTINGS.startDeadlineSeconds, 600) * 1000,
    joinDeadlineMs: read.orDefault(SETTINGS.joinDeadlineSeconds, 60) * 1000,
    maxLifetimeMs: read.orDefault(SETTINGS.maxLifetimeSeconds, 86_400) * 1000,
    shutdownTimeoutMs: read.orDefault(SETTINGS.shutdownTimeoutSeconds, 60) * 1000,
  };
}

/** One-way: who learns a gateway secret learns nothing of the API secret. */
function deriveGatewaySecret(apiSecret: Secret): Secret {
  const key = hkdfSync('sha256', apiSecret.reveal(), '', 'room-launcher gateway', 32);
  return new Secret(Buffer.from(key).toString('base64url'));
}

function withScheme(url: string, scheme: 'http' | 'ws'): string {
  return url.replace(/^(?:http|ws)/, scheme);
}
