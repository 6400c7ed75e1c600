/** Which engine runs tasks, and what it runs. */
import { resolve } from 'node:path';
import { ECS_SETTINGS, readEcs } from './ecs.ts';
import type { Reader } from './reader.ts';
import type { Setting } from './setting.ts';
import { SETTINGS } from './settings.ts';

export type EngineConfig =
  | { readonly driver: 'process' }
  /** `network` null: a bridge network of the deployment's own. */
  | { readonly driver: 'docker'; readonly network: string | null }
  | EcsEngineConfig;

export interface EcsEngineConfig {
  readonly driver: 'ecs';
  readonly cluster: string;
  /** As the driver takes it: where tasks are put, in order of preference. */
  readonly network: {
    readonly subnets: readonly [string, ...string[]];
    readonly securityGroups: readonly string[];
    readonly assignPublicIp: boolean;
    readonly capacityProviders: readonly string[];
  };
  /** Null: no hints. */
  readonly eventsQueueUrl: string | null;
}

/** Why there is no file of variables on ECS. */
export const NO_ENV_FILE =
  "ECS takes none: put the agent's variables into the task definition's `secrets`; remove this";

export interface EngineSources {
  /** Relative paths are taken from here. */
  readonly baseDir: string;
  /** The agent that runs when LAUNCHER_AGENT_FILE is not set; absolute. */
  readonly defaultAgentFile: string;
  readonly isReadableFile: (path: string) => boolean;
}

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
  const driver = read.orDefault(SETTINGS.driver);
  // Which settings go with an unknown driver cannot be told.
  const known = errors.length === before;
  if (known) refuseForeign(driver, read);
  if (driver === 'ecs')
    return { engine: readEcs(read), known, template: ecsTemplate(read, needed) };
  if (driver === 'docker' && known) {
    const network = read.optional(SETTINGS.dockerNetwork) ?? null;
    return { engine: { driver, network }, known, template: imageOf(read, needed, errors) };
  }
  const given = readPath(SETTINGS.agentFile, read, sources);
  const template = given ?? (needed ? sources.defaultAgentFile : undefined);
  return { engine: { driver: 'process' }, known, template };
}

function imageOf(read: Reader, needed: boolean, errors: string[]): string | undefined {
  const before = errors.length;
  const image = read.optional(SETTINGS.agentImage);
  if (image === undefined && needed && errors.length === before) {
    errors.push(
      'LAUNCHER_AGENT_IMAGE is not set, and with LAUNCHER_DRIVER docker there is no default: ' +
        'set it to the image that tasks run (`npm run image` builds room-launcher-agent:latest)',
    );
  }
  return image;
}

function ecsTemplate(read: Reader, needed: boolean): string | undefined {
  return read[needed ? 'required' : 'optional'](SETTINGS.ecsTaskDefinition);
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

/** Settings that mean something to one driver alone. */
const OWN_SETTINGS: Readonly<Record<EngineConfig['driver'], readonly Setting<unknown>[]>> = {
  docker: [SETTINGS.agentImage, SETTINGS.dockerNetwork],
  ecs: ECS_SETTINGS,
  process: [SETTINGS.agentFile],
};

/** A setting of another driver is a mistake that would otherwise do nothing, silently. */
function refuseForeign(driver: EngineConfig['driver'], read: Reader): void {
  for (const [other, settings] of Object.entries(OWN_SETTINGS)) {
    for (const setting of other === driver ? [] : settings) {
      if (read.optional(setting) !== undefined) {
        read.refuse(setting, `it is for LAUNCHER_DRIVER=${other}; set that, or remove this`);
      }
    }
  }
  if (driver === 'ecs' && read.optional(SETTINGS.agentEnvFile) !== undefined) {
    read.refuse(SETTINGS.agentEnvFile, NO_ENV_FILE);
  }
}
