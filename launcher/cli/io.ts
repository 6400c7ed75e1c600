/** What commands run in, how they end, and what they say when they cannot go on. */
import { createProgress, type Terminal } from '../dev/progress.ts';
import type { Clock } from '../lib/clock.ts';
import { EXIT_FAILED, EXIT_INTERRUPTED } from '../lib/exit-codes.ts';
import { oneLine } from './table.ts';

/** What takes longer says what it waits for. */
const PATIENCE_MS = 1_000;

export interface CommandIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Terminal & { readonly columns?: number };
  readonly stderr: Terminal;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Ends a command with one line for its user: what was wrong, and what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  constructor(message: string, exitCode = EXIT_FAILED) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Runs a command; what it cannot do is said in one line, also where others' words are in it. Resolves with the exit code. */
export async function ending(io: CommandIo, work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (io.signal.aborted) return EXIT_INTERRUPTED;
    if (!(error instanceof CommandError)) throw error;
    io.stderr.write(`room-launcher: ${oneLine(error.message)}\n`);
    return error.exitCode;
  }
}

/** Says on a terminal what is being waited for, once it takes longer than a moment. */
export async function waiting<T>(
  { stderr, clock }: Pick<CommandIo, 'stderr' | 'clock'>,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  const progress = createProgress(stderr, clock);
  const cancel = clock.timer(PATIENCE_MS, () => {
    if (stderr.isTTY) progress.show(what);
  });
  try {
    return await work();
  } finally {
    cancel();
    progress.clear();
  }
}

/** For programs: two spaces, one line's end. */
export function printJson({ stdout }: Pick<CommandIo, 'stdout'>, value: unknown): void {
  stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
