/** Which engine runs tasks, what it runs, and how its tasks reach this machine. */
import { resolve } from 'node:path';
import type { Reader } from './reader.ts';
import { type Setting, SETTINGS } from './settings.ts';

export type EngineConfig =
  | { readonly driver: 'process' }
  /** `network` null: a bridge network of the deployment's own. */
  | { readonly driver: 'docker'; readonly network: string | null };

export interface EngineSources {
  /** Relative paths are taken from here. */
  readonly baseDir: string;
  /** The agent that runs when LAUNCHER_AGENT_FILE is not set; absolute. */
  readonly defaultAgentFile: string;
  readonly isReadableFile: (path: string) => boolean;
}

/** How a container on a bridge calls the machine that it runs on. */
const HOST_ALIAS = 'host.docker.internal';

export interface EngineRead {
  readonly engine: EngineConfig;
  /** False after an error: nothing can be said about what goes with the engine. */
  readonly known: boolean;
  /** Of the environment's own profile; undefined: there is none. */
  readonly template: string | undefined;
}

/**
 * The engine, and what the environment's own profile runs. Appends what does not go together.
 * `needed`: there are no other profiles.
 */
export function readEngine(
  read: Reader,
  sources: EngineSources,
  needed: boolean,
  errors: string[],
): EngineRead {
  const before = errors.length;
  const driver = read.orDefault(SETTINGS.driver, 'docker');
  const unreadable = errors.length > before;
  if (unreadable || driver === 'process') {
    // Which settings go with an unknown driver cannot be told.
    if (!unreadable) refuseForeign([SETTINGS.agentImage, SETTINGS.dockerNetwork], 'docker', read);
    const given = readPath(SETTINGS.agentFile, read, sources);
    const template = given ?? (needed ? sources.defaultAgentFile : undefined);
    return { engine: { driver: 'process' }, known: !unreadable, template };
  }
  refuseForeign([SETTINGS.agentFile], 'process', read);
  const known = errors.length;
  const template = read.optional(SETTINGS.agentImage);
  if (template === undefined && needed && errors.length === known) {
    errors.push(
      'LAUNCHER_AGENT_IMAGE is not set, and with LAUNCHER_DRIVER docker there is no default: ' +
        'set it to the image that tasks run (`npm run image` builds room-launcher-agent:latest)',
    );
  }
  const network = read.optional(SETTINGS.dockerNetwork) ?? null;
  return { engine: { driver: 'docker', network }, known: true, template };
}

/** The host name by which tasks reach a listener of this machine that is open at `host`. */
export function taskHost(engine: EngineConfig, host: string): string {
  const here = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  const onBridge = engine.driver === 'docker' && engine.network !== 'host';
  return onBridge && isLoopback(here) ? HOST_ALIAS : here;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.startsWith('127.') || host === '::1' || host === '[::1]';
}

/** Absolute. A file that is missing now would otherwise only show as rooms without agents. */
export function readPath(
  setting: Setting<string>,
  read: Reader,
  { baseDir, isReadableFile }: EngineSources,
): string | undefined {
  const given = read.optional(setting);
  if (given === undefined) return undefined;
  const path = resolve(baseDir, given);
  if (!isReadableFile(path)) read.refuse(setting, unreadableFile(path));
  return path;
}

export function unreadableFile(path: string): string {
  return `there is no file ${path} that can be read; correct the path`;
}

/** A setting of another driver is a mistake that would otherwise do nothing, silently. */
function refuseForeign(settings: readonly Setting<string>[], driver: string, read: Reader): void {
  for (const setting of settings) {
    if (read.optional(setting) !== undefined) {
      read.refuse(setting, `it is for LAUNCHER_DRIVER=${driver}; set that, or remove this`);
    }
  }
}
