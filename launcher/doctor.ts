/**
 * `room-launcher doctor`: whether the settings can be used, and which profile a room would get.
 *
 * It reads what `serve` reads and asks nobody: neither LiveKit nor the engine need be there, nor the
 * server's address and keys.
 */
import { checkConfig } from './config.ts';
import { CONFIG_FILE_SETTING } from './config/settings.ts';
import { loadSources } from './config/load.ts';
import {
  type Profile,
  profileFor,
  type Profiles,
  readMetadata,
  type RoomMatch,
  shadowedProfiles,
} from './core/desired.ts';

const EXIT_OK = 0;
const EXIT_CONFIG = 64;

export interface DoctorOptions {
  /** The YAML file; without it, the one that LAUNCHER_CONFIG names. */
  readonly config?: string;
  readonly json?: true;
  /** Name of a room whose profile is asked for. */
  readonly room?: string;
  /** That room's metadata. */
  readonly metadata?: string;
}

export interface DoctorIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** Returns the exit code: 0, or 64 for settings that `serve` would refuse. */
export function doctor(options: DoctorOptions, io: DoctorIo): number {
  const env = { ...io.env, ...(options.config && { [CONFIG_FILE_SETTING]: options.config }) };
  const loaded = loadSources({ env, cwd: io.cwd });
  const checked = 'error' in loaded ? { errors: [loaded.error] } : checkConfig(loaded.sources);
  if ('errors' in checked) return refuse(checked.errors, options, io);
  const { engine, profiles } = checked;
  const warnings = warningsOf(profiles, options);
  const chosen = options.room === undefined ? null : choose(options.room, options, profiles);
  const rows = profiles.list.map(rowOf);
  if (options.json) {
    const room = chosen && { profile: chosen.profile, by: chosen.by, launch: chosen.launch };
    print({ ok: true, driver: engine.driver, profiles: rows, warnings, ...(room && { room }) }, io);
    return EXIT_OK;
  }
  io.stdout.write(table(rows));
  if (chosen) io.stdout.write(`\n${chosen.text}\n`);
  for (const warning of warnings) io.stderr.write(`room-launcher: warning: ${warning}\n`);
  return EXIT_OK;
}

function refuse(errors: readonly string[], { json }: DoctorOptions, io: DoctorIo): number {
  if (json) print({ ok: false, errors }, io);
  else for (const error of errors) io.stderr.write(`room-launcher: ${error}\n`);
  return EXIT_CONFIG;
}

function print(value: object, { stdout }: DoctorIo): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

function warningsOf(profiles: Profiles, { room, metadata = '' }: DoctorOptions): string[] {
  const warnings = shadowedProfiles(profiles).map(
    ({ name, by }) =>
      `profile ${name} serves only rooms whose metadata names it: ${by} before it matches every room`,
  );
  if (metadata !== '' && readMetadata(metadata) === null)
    warnings.push('the metadata is no JSON object: it names no profile and matches none');
  const { unknownName = null } =
    room === undefined ? {} : profileFor({ name: room, metadata }, profiles);
  if (unknownName !== null)
    warnings.push(
      `the metadata names profile ${JSON.stringify(unknownName)}, which does not exist`,
    );
  return warnings;
}

function choose(name: string, { metadata = '' }: DoctorOptions, profiles: Profiles) {
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

interface Row {
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

function rowOf({ name, match, launch, template, cpu, memoryMiB, standby = 0 }: Profile): Row {
  const launches = launch !== false;
  const runs = launches ? template : null;
  return { name, match: match ?? null, launch: launches, template: runs, cpu, memoryMiB, standby };
}

/** One line per profile, in the order in which they are tried. */
function table(rows: readonly Row[]): string {
  const head = ['PROFILE', 'ROOMS', 'LAUNCHES', 'CPU', 'MEMORY', 'STANDBY'];
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  return text.map((line) => `${line.trimEnd()}\n`).join('');
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
