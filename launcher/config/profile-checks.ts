/** What does not go together in a profile, and what it may not hold although its form is right. */
import { fargateAdvice, isFargateAlone } from './ecs.ts';
import { type EngineConfig, NO_ENV_FILE } from './engine.ts';
import type { GivenProfile } from './profile-fields.ts';
import type { Size } from './profile-values.ts';

/** A key of the profile, and what is wrong with it; an empty path is the profile itself. */
export interface Complaint {
  readonly path: readonly string[];
  readonly why: string;
}

/** Keys that mean something to one driver alone; the first is what it launches. */
const OWN_KEYS = {
  docker: ['image', 'user', 'readOnly', 'tmpfs', 'runtime'],
  ecs: ['taskDefinition', 'runner'],
  process: ['agentFile'],
} as const;
/** What the launcher sets for each task. */
const CREDENTIALS = ['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'];
const AGENT_NAME = 'LIVEKIT_AGENT_NAME_OVERRIDE';

/** All complaints about one profile; `engine` null: which one it is cannot be told. */
export function complaintsAbout(
  profile: GivenProfile,
  engine: EngineConfig | null,
  size: Size,
): Complaint[] {
  return [
    ...(engine === null ? [] : engineComplaints(profile, engine)),
    ...(engine?.driver === 'ecs' ? ecsComplaints(profile, engine, size) : []),
    ...matchComplaints(profile),
    ...launchComplaints(profile),
    ...Object.keys(profile.env ?? {}).flatMap(envComplaints),
    ...Object.keys(profile.tmpfs ?? {}).flatMap(tmpfsComplaints),
  ];
}

function engineComplaints(profile: GivenProfile, { driver }: EngineConfig): Complaint[] {
  const complaints = Object.entries(OWN_KEYS).flatMap(([other, keys]) =>
    keys
      .filter((key) => other !== driver && profile[key] !== undefined)
      .map((key) => ({
        path: [key],
        why: `it is for LAUNCHER_DRIVER=${other}; set that, or remove this`,
      })),
  );
  const [template] = OWN_KEYS[driver];
  if (profile.launch === false || profile[template] !== undefined) return complaints;
  const what = `it has no ${template}, which LAUNCHER_DRIVER ${driver} launches`;
  return [...complaints, { path: [], why: `${what}: give it one, or launch: false` }];
}

function ecsComplaints(profile: GivenProfile, engine: EngineConfig, size: Size): Complaint[] {
  const complaints: Complaint[] = [];
  if (profile.envFile !== undefined) complaints.push({ path: ['envFile'], why: NO_ENV_FILE });
  const { cpu = size.cpu, memoryMiB = size.memoryMiB } = profile;
  const why = profile.launch === false ? null : sizeMisfit(engine, { cpu, memoryMiB });
  if (why !== null) complaints.push({ path: [], why });
  return complaints;
}

/** Why no task of the engine can have this size, and which it could have; null if it can. */
export function sizeMisfit(engine: EngineConfig, { cpu, memoryMiB }: Size): string | null {
  const fargate = engine.driver === 'ecs' && isFargateAlone(engine);
  const advice = fargate ? fargateAdvice(cpu, memoryMiB) : null;
  if (advice === null) return null;
  return `Fargate has no task with cpu ${cpu} and ${memoryMiB} MiB: choose ${advice}`;
}

/** One that holds nothing would match every room: more likely a slip than meant. */
function matchComplaints({ match }: GivenProfile): Complaint[] {
  if (!match || match.room !== undefined || Object.keys(match.metadata ?? {}).length > 0) return [];
  const why = 'it holds nothing; give it room or metadata, or leave it out to match every room';
  return [{ path: ['match'], why }];
}

function launchComplaints({ launch, standby = 0, restart, retries }: GivenProfile): Complaint[] {
  const complaints: Complaint[] = [];
  if (standby > 0 && launch === false) {
    complaints.push({ path: ['standby'], why: 'launch: false forbids standbys; remove one' });
  }
  if (restart === 'never' && retries !== undefined && retries > 0) {
    complaints.push({ path: ['retries'], why: 'restart: never forbids retries; remove one' });
  }
  return complaints;
}

function envComplaints(name: string): Complaint[] {
  const path = ['env', name];
  if (CREDENTIALS.includes(name)) {
    return [{ path, why: 'the launcher sets it for each task; remove it' }];
  }
  if (name === AGENT_NAME) return [{ path, why: 'use agentName instead' }];
  if (name.startsWith('LAUNCHER_')) {
    return [
      { path, why: 'names that begin with LAUNCHER_ are settings of the launcher; remove it' },
    ];
  }
  if (/^[A-Za-z_]\w*$/.test(name)) return [];
  return [{ path, why: 'a name has letters, digits and _, and begins with no digit; correct it' }];
}

function tmpfsComplaints(mount: string): Complaint[] {
  if (/^\/[^\0:]+$/.test(mount) && !mount.split('/').includes('..')) return [];
  return [{ path: ['tmpfs', mount], why: 'it must be an absolute path below /; correct it' }];
}
