/** From what the file says of a profile to the profile: units, defaults, and what is left out. */
import type { Profile, TaskLimits } from '../core/desired.ts';
import type { EngineConfig } from './engine.ts';
import type { GivenProfile } from './profile-fields.ts';

export type Size = Pick<Profile, 'cpu' | 'memoryMiB'>;

/** Of a task for which nothing else is said. Fargate gives a core no less than 2 GiB. */
export function sizeDefault({ driver }: EngineConfig): Size {
  return { cpu: 1, memoryMiB: driver === 'ecs' ? 2048 : 1024 };
}

/** `otherwise`: what the profile does not say; `fileOf` makes the path of a key's file absolute. */
export function toProfile(
  given: GivenProfile,
  otherwise: TaskLimits & Size,
  fileOf: (key: string, file: string) => string,
): Profile {
  const { match, env, envFile, agentName, standby, agentFile, image, taskDefinition } = given;
  const named = image ?? taskDefinition ?? '';
  const template = agentFile === undefined ? named : fileOf('agentFile', agentFile);
  return {
    name: given.name,
    ...(match && { match: withoutUndefined(match) }),
    ...(given.launch === false && { launch: false }),
    template,
    ...(given.runner === true && { runner: true }),
    cpu: given.cpu ?? otherwise.cpu,
    memoryMiB: given.memoryMiB ?? otherwise.memoryMiB,
    ...(env && { env }),
    ...(envFile !== undefined && { envFile: fileOf('envFile', envFile) }),
    ...(agentName !== undefined && { agentName }),
    ...(standby !== undefined && { standby }),
    ...limitsOf(given, otherwise),
    ...optionsOf(given),
  };
}

/** What the profile does not say is as the environment has it. */
function limitsOf(given: GivenProfile, limits: TaskLimits): TaskLimits {
  return {
    retries: given.restart === 'never' ? 0 : (given.retries ?? limits.retries),
    startDeadlineMs: ms(given.startDeadlineSeconds, limits.startDeadlineMs),
    joinDeadlineMs: ms(given.joinDeadlineSeconds, limits.joinDeadlineMs),
    maxLifetimeMs: ms(given.maxLifetimeSeconds, limits.maxLifetimeMs),
    shutdownTimeoutMs: ms(given.shutdownTimeoutSeconds, limits.shutdownTimeoutMs),
  };
}

function ms(seconds: number | undefined, otherwiseMs: number): number {
  return seconds === undefined ? otherwiseMs : seconds * 1000;
}

function optionsOf({ user, readOnly, tmpfs, runtime }: GivenProfile): Pick<Profile, 'options'> {
  const options = withoutUndefined({ user, readOnly, tmpfs, runtime });
  return Object.keys(options).length === 0 ? {} : { options };
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(fields: T): Given<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Given<T>;
}
