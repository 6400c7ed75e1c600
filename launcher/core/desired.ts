/** What rooms call for: which of the profiles, if any, serves a room. */
import type { TaskOptions } from '../driver.ts';
import { globMatches } from './glob.ts';
import type { Room } from './room.ts';

/** What a room's task is held to. */
export interface TaskLimits {
  /** Launches after the first, per run. */
  readonly retries: number;
  /** Accepted but not running for this long: stopped, failed. */
  readonly startDeadlineMs: number;
  /** Running but never in the room for this long: stopped, failed. */
  readonly joinDeadlineMs: number;
  readonly maxLifetimeMs: number;
  /** SIGTERM to SIGKILL. */
  readonly shutdownTimeoutMs: number;
}

/** A named set of choices about the rooms that it serves. */
export interface Profile extends TaskLimits {
  readonly name: string;
  /** Without it, every room. */
  readonly match?: RoomMatch;
  /** False: nothing is launched for its rooms; a task that runs goes on, within the limits. */
  readonly launch?: false;
  /** As a driver's launch takes it. May be empty where nothing is launched. */
  readonly template: string;
  /** Does it run our runner? For engines that cannot tell; without it, no. */
  readonly runner?: true;
  /** Cores. */
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Public variables for the agent: whoever may inspect a task can read them. */
  readonly env?: Readonly<Record<string, string>>;
  /** File of variables for the agent. */
  readonly envFile?: string;
  /** Replaces the agent's own name, and names its rooms' explicit dispatches. */
  readonly agentName?: string;
  /** Tasks that wait for a room. Without it, none. */
  readonly standby?: number;
  readonly options?: TaskOptions;
}

/** All that is given must hold. */
export interface RoomMatch {
  /** Glob over the room's name. */
  readonly room?: string;
  /** Keys of the JSON object in the room's metadata, with the values that they must have. */
  readonly metadata?: Readonly<Record<string, MetadataValue>>;
}

export type MetadataValue = string | number | boolean | null;

export interface Profiles {
  /** The first that matches serves a room; the environment's own, if there is one, is the last. */
  readonly list: readonly Profile[];
  /** For rooms that none matches: launches nothing, and its name is empty. */
  readonly unmatched: Profile;
}

export interface Choice {
  readonly profile: Profile;
  /** How it was found; null: none was. */
  readonly by: 'metadata' | 'match' | null;
  /** The profile that the room's metadata asks for and that does not exist. */
  readonly unknownName: string | null;
}

/** The key of LiveKit's room metadata under which rooms talk to the launcher. */
const OUR_KEY = 'room-launcher';

/**
 * The profile of a room: the one that its metadata names (`{"room-launcher": {"profile": "…"}}`),
 * else the first that matches. Metadata is whatever somebody wrote there; nothing in it throws.
 */
export function profileFor(room: Pick<Room, 'name' | 'metadata'>, profiles: Profiles): Choice {
  const metadata = readMetadata(room.metadata);
  const asked = askedName(metadata);
  const named = profiles.list.find((profile) => profile.name === asked);
  if (named) return { profile: named, by: 'metadata', unknownName: null };
  const found = profiles.list.find(({ match }) => !match || matches(match, room.name, metadata));
  return {
    profile: found ?? profiles.unmatched,
    by: found ? 'match' : null,
    unknownName: asked,
  };
}

/** Profiles that no room reaches by a match, with the earlier one (`by`) that matches every room. */
export function shadowedProfiles({
  list,
}: Profiles): readonly { readonly name: string; readonly by: string }[] {
  const at = list.findIndex(matchesEveryRoom);
  const by = list[at]?.name;
  return by === undefined ? [] : list.slice(at + 1).map(({ name }) => ({ name, by }));
}

/** Does it match every room, whatever its name and metadata? */
function matchesEveryRoom({ match }: Pick<Profile, 'match'>): boolean {
  if (!match) return true;
  const anyName = match.room === undefined || /^\*+$/.test(match.room);
  return anyName && Object.keys(match.metadata ?? {}).length === 0;
}

/** The top level of a metadata text; null when it is no JSON object. */
export function readMetadata(text: string): Readonly<Record<string, unknown>> | null {
  if (text === '') return null;
  try {
    const parsed: unknown = JSON.parse(text);
    return isObject(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function askedName(metadata: Readonly<Record<string, unknown>> | null): string | null {
  return toldUs(metadata, 'profile');
}

/** The job's metadata from the room's own, `{"room-launcher": {"metadata": "…"}}`; else empty. */
export function roomJobMetadata(text: string): string {
  return toldUs(readMetadata(text), 'metadata') ?? '';
}

/** What a room's metadata tells the launcher under a key; null for nothing, or no text. */
function toldUs(metadata: Readonly<Record<string, unknown>> | null, key: string): string | null {
  const ours = metadata?.[OUR_KEY];
  const told = isObject(ours) ? ours[key] : undefined;
  return typeof told === 'string' && told !== '' ? told : null;
}

function matches(
  { room, metadata: wanted = {} }: RoomMatch,
  name: string,
  metadata: Readonly<Record<string, unknown>> | null,
): boolean {
  if (room !== undefined && !globMatches(room, name)) return false;
  return Object.entries(wanted).every(
    ([key, value]) => metadata !== null && Object.hasOwn(metadata, key) && metadata[key] === value,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
