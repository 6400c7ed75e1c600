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

/** The engine, and the template of the default profile. Appends what does not go together. */
export function readEngine(
  read: Reader,
  sources: EngineSources,
  errors: string[],
): { readonly engine: EngineConfig; readonly template: string } {
  const before = errors.length;
  const driver = read.orDefault(SETTINGS.driver, 'docker');
  const unreadable = errors.length > before;
  if (unreadable || driver === 'process') {
    // Which settings go with an unknown driver cannot be told.
    if (!unreadable) refuseForeign([SETTINGS.agentImage, SETTINGS.dockerNetwork], 'docker', read);
    const template = readPath(SETTINGS.agentFile, read, sources) ?? sources.defaultAgentFile;
    return { engine: { driver: 'process' }, template };
  }
  refuseForeign([SETTINGS.agentFile], 'process', read);
  const known = errors.length;
  const template = read.optional(SETTINGS.agentImage);
  if (template === undefined && errors.length === known) {
    errors.push(
      'LAUNCHER_AGENT_IMAGE is not set, and with LAUNCHER_DRIVER docker there is no default: ' +
        'set it to the image that tasks run (`npm run image` builds room-launcher-agent:latest)',
    );
  }
  const network = read.optional(SETTINGS.dockerNetwork) ?? null;
  return { engine: { driver: 'docker', network }, template: template ?? '' };
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
  if (!isReadableFile(path)) {
    read.refuse(setting, `there is no file ${path} that can be read; correct the path`);
  }
  return path;
}

/** A setting of another driver is a mistake that would otherwise do nothing, silently. */
function refuseForeign(settings: readonly Setting<string>[], driver: string, read: Reader): void {
  for (const setting of settings) {
    if (read.optional(setting) !== undefined) {
      read.refuse(setting, `it is for LAUNCHER_DRIVER=${driver}; set that, or remove this`);
    }
  }
}
