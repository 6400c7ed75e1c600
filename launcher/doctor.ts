/**
 * `room-launcher doctor`: what goes wrong in practice, looked for before a room has to wait for it,
 * each with what to do. It reads what `serve` reads, asks LiveKit, the engine and a launcher that
 * runs, and looks from inside a container; `--probe` also makes a room.
 *
 * Nothing of it stays: containers and the room are removed again.
 */
import { lookOf } from './cli/table.ts';
import { checkConfig, type Config, parseConfig } from './config.ts';
import { loadSources } from './config/load.ts';
import { CONFIG_FILE_SETTING } from './config/settings.ts';
import { createProgress, type Terminal } from './dev/progress.ts';
import { Board } from './doctor/board.ts';
import { askEcs, type AskEcs } from './doctor/ecs.ts';
import { examine } from './doctor/examine.ts';
import { ok, warning } from './doctor/finding.ts';
import { type AskedRoom, choose, oddities, profileTable, rowOf } from './doctor/profiles.ts';
import { countOf, reportLines, summaryOf } from './doctor/report.ts';
import { systemClock } from './lib/clock.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE } from './lib/exit-codes.ts';
import { engineAddress, networkChoice } from './wiring.ts';

/** What takes longer is said while it is waited for. */
const NOTABLE_MS = 1_000;
const PROGRESS_EVERY_MS = 250;

export interface DoctorOptions extends AskedRoom {
  /** The YAML file; without it, the one that LAUNCHER_CONFIG names. */
  readonly config?: string;
  readonly json?: true;
  /** The settings alone. */
  readonly offline?: true;
  /** The settings and the engine alone: LiveKit need not be there. */
  readonly askEngine?: true;
  /** Also what takes a room. */
  readonly probe?: true;
}

export interface DoctorIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Gives up what still runs. */
  readonly signal: AbortSignal;
}

/**
 * `ask` asks ECS. Resolves with the exit code: 0, also with warnings and what was not looked at;
 * 1 when something is wrong; 64 for settings that `serve` would refuse; 130 when it was ended before
 * it had looked at everything: what it found until then is reported.
 */
export async function doctor(
  options: DoctorOptions,
  io: DoctorIo,
  ask: AskEcs = askEcs,
): Promise<number> {
  const env = { ...io.env, ...(options.config && { [CONFIG_FILE_SETTING]: options.config }) };
  const loaded = loadSources({ env, cwd: io.cwd });
  if ('error' in loaded) return refuse([loaded.error], options, io);
  const alone = options.offline === true || options.askEngine === true;
  const engine = checkConfig(loaded.sources);
  const parsed = alone ? null : parseConfig(loaded.sources);
  if (parsed !== null && 'errors' in parsed) return refuse(parsed.errors, options, io);
  if ('errors' in engine) return refuse(engine.errors, options, io);
  const board = new Board(systemClock, io.signal);
  await noteSettings(
    board,
    options,
    engine.profiles.list.length,
    oddities(engine.profiles, options),
  );
  if (!options.offline) {
    const config: Config | null = parsed?.config ?? null;
    const network = engine.engine.driver === 'docker' ? engine.engine.network : null;
    const docker = { address: engineAddress(io.env), network: networkChoice(network) };
    const probe = options.probe ? { name: options.room, metadata: options.metadata ?? '' } : null;
    const question = { engine, config, probe, docker, askEcs: ask };
    await watched(board, io, () => examine(board, question));
  }
  return say(board, options, io, engine);
}

/** Says on standard error what is being waited for. */
async function watched(board: Board, { stderr }: DoctorIo, work: () => Promise<void>) {
  const progress = createProgress(stderr, systemClock);
  const timer = setInterval(() => {
    const names = board.runningFor(NOTABLE_MS);
    if (names.length > 0) progress.show(`looking at ${names.join(', ')} …`);
  }, PROGRESS_EVERY_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
    progress.clear();
  }
}

async function noteSettings(
  board: Board,
  { config }: DoctorOptions,
  profiles: number,
  odd: readonly string[],
): Promise<void> {
  const from = config === undefined ? '' : ` in ${config}`;
  const text = `all can be used${from}, ${profiles} ${profiles === 1 ? 'profile' : 'profiles'}`;
  const findings = [ok(text), ...odd.map((line) => warning(line))];
  await board.look('settings', NOTABLE_MS, async () => ({ findings }));
}

type Checked = Exclude<ReturnType<typeof checkConfig>, { errors: unknown }>;

function say(board: Board, options: DoctorOptions, io: DoctorIo, checked: Checked): number {
  const { engine, profiles } = checked;
  const reports = board.reports();
  const isWrong = reports.some(({ findings }) => countOf(findings, 'wrong') > 0);
  const { room, metadata = '', json } = options;
  const chosen = room === undefined ? null : choose(room, metadata, profiles);
  const rows = profiles.list.map(rowOf);
  if (json) {
    const { text: _text, ...asked } = chosen ?? { text: '' };
    const report = { ok: !isWrong && !io.signal.aborted, driver: engine.driver, profiles: rows };
    print({ ...report, ...(chosen && { room: asked }), checks: reports }, io);
  } else {
    io.stdout.write(`${profileTable(rows)}\n`);
    if (chosen) io.stdout.write(`${chosen.text}\n\n`);
    const { paint } = lookOf(io.stdout, io.env);
    io.stdout.write(`${reportLines(reports, paint)}\n${summaryOf(reports)}\n`);
  }
  if (io.signal.aborted) return EXIT_INTERRUPTED;
  return isWrong ? EXIT_FAILED : EXIT_OK;
}

function refuse(errors: readonly string[], { json }: DoctorOptions, io: DoctorIo): number {
  if (json) print({ ok: false, errors }, io);
  else for (const error of errors) io.stderr.write(`room-launcher: ${error}\n`);
  return EXIT_USAGE;
}

function print(value: object, { stdout }: DoctorIo): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
