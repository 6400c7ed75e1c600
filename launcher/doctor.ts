/**
 * `room-launcher doctor`: whether the settings can be used, and which profile a room would get.
 *
 * It reads what `serve` reads and asks nobody: neither LiveKit nor the engine need be there, nor the
 * server's address and keys. Only `--ask-engine` asks ECS for what the settings name.
 */
import { checkConfig, type EngineConfig } from './config.ts';
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
import { systemClock } from './lib/clock.ts';
import { reasonOf } from './lib/log.ts';

const EXIT_OK = 0;
/** The settings are right; what they name is not. */
const EXIT_ENGINE = 1;
const EXIT_CONFIG = 64;
const ENGINE_TIMEOUT_MS = 30_000;

export interface DoctorOptions {
  /** The YAML file; without it, the one that LAUNCHER_CONFIG names. */
  readonly config?: string;
  readonly json?: true;
  /** Name of a room whose profile is asked for. */
  readonly room?: string;
  /** That room's metadata. */
  readonly metadata?: string;
  readonly askEngine?: true;
}

export interface DoctorIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

/** What asks the engine; replaced in tests. */
export type AskEngine = typeof askEcs;

/**
 * Resolves with the exit code: 0, 1 for an engine that is not as the settings have it, or 64 for
 * settings that `serve` would refuse.
 */
export async function doctor(
  options: DoctorOptions,
  io: DoctorIo,
  ask: AskEngine = askEcs,
): Promise<number> {
  const env = { ...io.env, ...(options.config && { [CONFIG_FILE_SETTING]: options.config }) };
  const loaded = loadSources({ env, cwd: io.cwd });
  const checked = 'error' in loaded ? { errors: [loaded.error] } : checkConfig(loaded.sources);
  if ('errors' in checked) return refuse(checked.errors, options, io);
  const { engine, deployment, profiles } = checked;
  if (options.askEngine && engine.driver !== 'ecs') return refuse([NOTHING_TO_ASK], options, io);
  const seen =
    options.askEngine && engine.driver === 'ecs'
      ? await ask(engine, deployment, profiles)
      : NOT_ASKED;
  const warnings = [...warningsOf(profiles, options), ...seen.unseen];
  const code = seen.wrong.length > 0 ? EXIT_ENGINE : EXIT_OK;
  const chosen = options.room === undefined ? null : choose(options.room, options, profiles);
  const rows = profiles.list.map(rowOf);
  if (options.json) {
    const room = chosen && { profile: chosen.profile, by: chosen.by, launch: chosen.launch };
    const asked = options.askEngine && { errors: seen.wrong };
    const report = { driver: engine.driver, profiles: rows, warnings, ...asked };
    print({ ok: code === EXIT_OK, ...report, ...(room && { room }) }, io);
    return code;
  }
  io.stdout.write(table(rows));
  if (chosen) io.stdout.write(`\n${chosen.text}\n`);
  for (const warning of warnings) io.stderr.write(`room-launcher: warning: ${warning}\n`);
  for (const error of seen.wrong) io.stderr.write(`room-launcher: ${error}\n`);
  return code;
}

const NOTHING_TO_ASK = '--ask-engine is for LAUNCHER_DRIVER=ecs; leave it out';

interface Asked {
  /** Launches would fail over it. */
  readonly wrong: readonly string[];
  /** What could not be looked at. */
  readonly unseen: readonly string[];
}
const NOT_ASKED: Asked = { wrong: [], unseen: [] };

async function askEcs(
  engine: Extract<EngineConfig, { driver: 'ecs' }>,
  deployment: string,
  { list }: Profiles,
): Promise<Asked> {
  const launched = list.filter(({ launch }) => launch !== false);
  const templates = new Set(launched.map(({ template }) => template));
  // Loaded only here: the library of AWS is large.
  const { examineEcs } = await import('./drivers/ecs/examine.ts');
  const options = { ...engine, deployment, clock: systemClock };
  try {
    const findings = await examineEcs(options, templates, AbortSignal.timeout(ENGINE_TIMEOUT_MS));
    const of = (level: string) => findings.flatMap((one) => (one.level === level ? one.text : []));
    return { wrong: of('wrong'), unseen: of('unseen') };
  } catch (error) {
    return { wrong: [reasonOf(error)], unseen: [] };
  }
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
