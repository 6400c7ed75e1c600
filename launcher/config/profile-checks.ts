/** What does not go together in a profile, and what it may not hold although its form is right. */
import type { EngineConfig } from './engine.ts';
import type { GivenProfile } from './profile-fields.ts';

/** A key of the profile, and what is wrong with it; an empty path is the profile itself. */
export interface Complaint {
  readonly path: readonly string[];
  readonly why: string;
}

const DOCKER_KEYS = ['image', 'user', 'readOnly', 'tmpfs', 'runtime'] as const;
const PROCESS_KEYS = ['agentFile'] as const;
/** What the launcher sets for each task. */
const CREDENTIALS = ['LIVEKIT_URL', 'LIVEKIT_API_KEY', 'LIVEKIT_API_SECRET'];
const AGENT_NAME = 'LIVEKIT_AGENT_NAME_OVERRIDE';

/** All complaints about one profile; `engine` null: which one it is cannot be told. */
export function complaintsAbout(profile: GivenProfile, engine: EngineConfig | null): Complaint[] {
  return [
    ...(engine === null ? [] : engineComplaints(profile, engine)),
    ...matchComplaints(profile),
    ...launchComplaints(profile),
    ...Object.keys(profile.env ?? {}).flatMap(envComplaints),
    ...Object.keys(profile.tmpfs ?? {}).flatMap(tmpfsComplaints),
  ];
}

function engineComplaints(profile: GivenProfile, { driver }: EngineConfig): Complaint[] {
  const [foreign, other, template] =
    driver === 'docker'
      ? ([PROCESS_KEYS, 'process', 'image'] as const)
      : ([DOCKER_KEYS, 'docker', 'agentFile'] as const);
  const complaints: Complaint[] = foreign
    .filter((key: keyof GivenProfile) => profile[key] !== undefined)
    .map((key) => ({
      path: [key],
      why: `it is for LAUNCHER_DRIVER=${other}; set that, or remove this`,
    }));
  if (profile.launch !== false && profile[template] === undefined) {
    const what = `it has no ${template}, which LAUNCHER_DRIVER ${driver} launches`;
    complaints.push({ path: [], why: `${what}: give it one, or launch: false` });
  }
  return complaints;
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
