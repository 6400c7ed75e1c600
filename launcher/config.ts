/**
 * The launcher's settings, read once at start. `parseConfig` is pure: environment and file come as
 * arguments, and all errors come back at once, so that a wrong start is mended in one go.
 */
import { hkdfSync } from 'node:crypto';
import {
  type EngineConfig,
  type EngineRead,
  type EngineSources,
  readEngine,
  readPath,
} from './config/engine.ts';
import { type ListenConfig, readListeners } from './config/listeners.ts';
import { sizeMisfit } from './config/profile-checks.ts';
import { type Size, sizeDefault } from './config/profile-values.ts';
import { hasProfiles, readProfiles } from './config/profiles.ts';
import { refuseUnreachable, seenByTasks, taskHost } from './config/reach.ts';
import { type Reader, settingsReader } from './config/reader.ts';
import { SETTINGS } from './config/settings.ts';
import { gather, type Sources } from './config/sources.ts';
import type { KeyPair } from './config/values.ts';
import type { Profiles, TaskLimits } from './core/desired.ts';
import { assert } from './lib/assert.ts';
import { formatAddress } from './lib/listen.ts';
import { Secret } from './lib/secret.ts';

export type { EngineConfig };

const NO_OWN_PROFILE =
  "it is for the environment's own profile, and there is none; give profiles an envFile each";

const NO_OWN_RUNNER =
  "it is for the environment's own profile, and there is none; give profiles a runner each";

const NO_OWN_STANDBYS =
  "it is for the environment's own profile, and there is none; give profiles a standby each";

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
  readonly profiles: Profiles;
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

/** What the settings say of rooms, or every error. */
export type CheckedConfig =
  | { readonly engine: EngineConfig; readonly deployment: string; readonly profiles: Profiles }
  | { readonly errors: readonly string[] };

/** All settings, or every error: one line each, with setting, value (no secret) and what to do. */
export function parseConfig(sources: ConfigSources): ParsedConfig {
  const { server, taskUrl, gatewaySecrets, webhookKeys, errors, ...rest } = readAll(
    sources,
    'required',
  );
  const [firstError, ...otherErrors] = errors;
  if (firstError !== undefined) return { errors: [firstError, ...otherErrors] };
  const { url, apiKey, apiSecret } = server;
  assert(url && apiKey && apiSecret, 'a required setting is missing without an error');
  const [gatewaySecret, ...olderSecrets] = gatewaySecrets;
  const config = {
    ...rest,
    livekit: { url: withScheme(url, 'http'), wsUrl: withScheme(url, 'ws'), apiKey, apiSecret },
    taskLivekitUrl: withScheme(taskUrl ?? seenByTasks(rest.engine, url), 'ws'),
    webhookKeys: [{ key: apiKey, secret: apiSecret }, ...webhookKeys],
    gatewaySecrets: [gatewaySecret ?? deriveGatewaySecret(apiSecret), ...olderSecrets],
  } as const;
  return { config };
}

/** The same checks, without those that LiveKit's address and keys are there. */
export function checkConfig(sources: ConfigSources): CheckedConfig {
  const { errors, engine, deployment, profiles } = readAll(sources, 'optional');
  return errors.length > 0 ? { errors } : { engine, deployment, profiles };
}

/** Where the admin listener is, for who wants to ask it; other settings need not be right. */
export function checkAdminListen(
  sources: Sources,
): Pick<ListenConfig, 'adminListen'> | { readonly error: string } {
  const errors: string[] = [];
  const adminListen = settingsReader(gather(sources), errors).orDefault(SETTINGS.adminListen);
  const [error] = errors;
  return error === undefined ? { adminListen } : { error };
}

function readAll(sources: ConfigSources, server: 'required' | 'optional') {
  const given = gather(sources);
  const errors = [...given.errors];
  const read = settingsReader(given, errors);
  const url = read[server](SETTINGS.livekitUrl);
  const apiKey = read[server](SETTINGS.livekitApiKey);
  const apiSecret = read[server](SETTINGS.livekitApiSecret);
  const taskUrl = read.optional(SETTINGS.taskLivekitUrl);
  const webhookKeys = read.optional(SETTINGS.webhookKeys) ?? [];
  const gatewaySecrets = read.optional(SETTINGS.gatewaySecret) ?? [];
  const listeners = readListeners(read, errors);
  const gatewayUrl = read.optional(SETTINGS.gatewayUrl) ?? null;
  const engineRead = readEngine(read, sources, !hasProfiles(sources), errors);
  const { engine } = engineRead;
  const addresses = { ...listeners, gatewayUrl, livekitUrl: url, taskLivekitUrl: taskUrl };
  refuseUnreachable(engine, addresses, read, errors);
  return {
    errors,
    server: { url, apiKey, apiSecret },
    taskUrl,
    webhookKeys,
    gatewaySecrets,
    engine,
    deployment: read.orDefault(SETTINGS.deployment),
    ...listeners,
    gatewayUrl,
    profiles: readAllProfiles(engineRead, read, sources, errors),
    resyncMs: read.orDefault(SETTINGS.resyncSeconds) * 1000,
    logLevel: read.orDefault(SETTINGS.logLevel),
  };
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
    profiles: config.profiles.list.map(({ name, template }) => `${name}=${template}`).join(' '),
    resync_ms: config.resyncMs,
    log_level: config.logLevel,
  };
}

/** The file's profiles, then the environment's own, if the environment says what it runs. */
function readAllProfiles(
  engine: EngineRead,
  read: Reader,
  sources: ConfigSources,
  errors: string[],
): Profiles {
  const limits = readLimits(read);
  const envFile = readPath(SETTINGS.agentEnvFile, read, sources);
  if (envFile !== undefined && engine.template === undefined && hasProfiles(sources)) {
    read.refuse(SETTINGS.agentEnvFile, NO_OWN_PROFILE);
  }
  const standby = read.orDefault(SETTINGS.standby);
  if (standby > 0 && engine.template === undefined && hasProfiles(sources)) {
    read.refuse(SETTINGS.standby, NO_OWN_STANDBYS);
  }
  const runner = read.orDefault(SETTINGS.ecsRunner);
  if (runner && engine.template === undefined && hasProfiles(sources)) {
    read.refuse(SETTINGS.ecsRunner, NO_OWN_RUNNER);
  }
  const size = { ...readSize(read, engine.engine), ...limits };
  const list = readProfiles(sources, engine, size, errors);
  if (engine.template !== undefined) {
    const misfit = sizeMisfit(engine.engine, size);
    if (misfit !== null) errors.push(`LAUNCHER_CPU, LAUNCHER_MEMORY_MIB: ${misfit}`);
    const own = { name: 'default', template: engine.template, ...size };
    list.push({
      ...own,
      ...(envFile !== undefined && { envFile }),
      ...(standby > 0 && { standby }),
      ...(runner && { runner }),
    });
  }
  return { list, unmatched: { name: '', template: '', launch: false, ...size } };
}

/** Of a task of a profile that says nothing else. */
function readSize(read: Reader, engine: EngineConfig): Size {
  const { cpu, memoryMiB } = sizeDefault(engine);
  return {
    cpu: read.optional(SETTINGS.cpu) ?? cpu,
    memoryMiB: read.optional(SETTINGS.memoryMiB) ?? memoryMiB,
  };
}

function readLimits(read: Reader): TaskLimits {
  return {
    retries: read.orDefault(SETTINGS.retries),
    startDeadlineMs: read.orDefault(SETTINGS.startDeadlineSeconds) * 1000,
    joinDeadlineMs: read.orDefault(SETTINGS.joinDeadlineSeconds) * 1000,
    maxLifetimeMs: read.orDefault(SETTINGS.maxLifetimeSeconds) * 1000,
    shutdownTimeoutMs: read.orDefault(SETTINGS.shutdownTimeoutSeconds) * 1000,
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
