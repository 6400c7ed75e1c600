/** What the settings say of rooms: the table of profiles, and the one that a room would get. */
import { table } from '../cli/table.ts';
import {
  type Profile,
  profileFor,
  type Profiles,
  readMetadata,
  type RoomMatch,
  shadowedProfiles,
} from '../core/desired.ts';

/** A room that the command line asks about. */
export interface AskedRoom {
  /** Its name; undefined: none was asked about. */
  readonly room?: string;
  readonly metadata?: string;
}

export interface Row {
  readonly name: string;
  /** Null: every room. */
  readonly match: RoomMatch | null;
  readonly launch: boolean;
  /** Image or agent file; null where nothing is launched. */
  readonly template: string | null;
  readonly cpu: number;
  readonly memoryMiB: number;
  readonly standby: number;
}

/** What is odd about the profiles and about the room that was asked for, a line each. */
export function oddities(profiles: Profiles, { room, metadata = '' }: AskedRoom): string[] {
  const odd = shadowedProfiles(profiles).map(
    ({ name, by }) =>
      `profile ${name} serves only rooms whose metadata names it: ${by} before it matches every room`,
  );
  if (metadata !== '' && readMetadata(metadata) === null)
    odd.push('the metadata is no JSON object: it names no profile and matches none');
  const { unknownName = null } =
    room === undefined ? {} : profileFor({ name: room, metadata }, profiles);
  if (unknownName !== null)
    odd.push(`the metadata names profile ${JSON.stringify(unknownName)}, which does not exist`);
  return odd;
}

/** The profile of a room with this name and metadata, and a sentence about it. */
export function choose(name: string, metadata: string, profiles: Profiles) {
  const { profile, by } = profileFor({ name, metadata }, profiles);
  const launch = profile.launch !== false;
  if (by === null) {
    const text = 'No profile matches such a room: nothing is launched for it.';
    return { profile: null, by, launch, text };
  }
  const how = by === 'metadata' ? 'its metadata names it' : 'it is the first that matches';
  const then = launch ? '' : ' Nothing is launched for it.';
  return {
    profile: profile.name,
    by,
    launch,
    text: `Such a room gets profile ${profile.name}: ${how}.${then}`,
  };
}

export function rowOf({
  name,
  match,
  launch,
  template,
  cpu,
  memoryMiB,
  standby = 0,
}: Profile): Row {
  const launches = launch !== false;
  const runs = launches ? template : null;
  return { name, match: match ?? null, launch: launches, template: runs, cpu, memoryMiB, standby };
}

/** One line per profile, in the order in which they are tried. */
export function profileTable(rows: readonly Row[]): string {
  return table(['PROFILE', 'ROOMS', 'LAUNCHES', 'CPU', 'MEMORY', 'STANDBY'], rows.map(cells));
}

function cells({ name, match, template, cpu, memoryMiB, standby }: Row): string[] {
  const size = template === null ? ['-', '-', '-'] : [`${cpu}`, `${memoryMiB} MiB`, `${standby}`];
  return [name, roomsOf(match), template ?? 'nothing', ...size];
}

function roomsOf(match: RoomMatch | null): string {
  if (match === null) return 'every room';
  const metadata = Object.entries(match.metadata ?? {});
  return [
    ...(match.room === undefined ? [] : [`name ${match.room}`]),
    ...metadata.map(([key, value]) => `${key} = ${JSON.stringify(value)}`),
  ].join(', ');
}
