/** Runs helper commands (`docker`, `go`) to their end. A command that is missing is no exception. */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export type Env = Readonly<Record<string, string | undefined>>;

export interface CommandResult {
  /** Null when the command could not be started, ran too long or was ended by a signal. */
  readonly code: number | null;
  /** The last line of each output. */
  readonly stdout: string;
  readonly stderr: string;
}

const TAIL_MAX_CHARS = 4_096;

/** Runs `file` found on `env.PATH`; ends it after `timeoutMs` or when `signal` aborts. */
export function command(
  file: string,
  args: readonly string[],
  options: { readonly env: Env; readonly timeoutMs: number; readonly signal?: AbortSignal },
): Promise<CommandResult> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    });
    const stdout = tailOf(child.stdout);
    const stderr = tailOf(child.stderr);
    child.once('error', (error) => resolve({ code: null, stdout: '', stderr: error.message }));
    child.once('close', (code) =>
      resolve({ code, stdout: lastLine(stdout()), stderr: lastLine(stderr()) }),
    );
  });
}

function tailOf(stream: Readable): () => string {
  let tail = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-TAIL_MAX_CHARS);
  });
  return () => tail;
}

function lastLine(text: string): string {
  const trimmed = text.trimEnd();
  return trimmed.slice(trimmed.lastIndexOf('\n') + 1);
}
