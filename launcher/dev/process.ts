/**
 * A long-lived child of the demo or of a test: started in a process group of its own, so that a
 * Ctrl-C in the terminal reaches the parent alone, which then ends its children in order.
 */
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { delay, systemClock } from '../lib/clock.ts';
import type { Env } from './command.ts';

export interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** Settles with the end, however it came. */
  readonly ended: Promise<ChildEnd>;
  /** True once it has ended. */
  hasEnded(): boolean;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGTERM, SIGTERM again after a second, SIGKILL after `graceMs`; waits for the end. */
  stop(graceMs: number): Promise<void>;
}

/** LiveKit's server waits for its participants on a first SIGTERM and goes on a second. */
const SECOND_TERM_MS = 1_000;

/** Starts `file`. Rejects when it cannot be started at all (missing, no permission). */
export function startChild(
  file: string,
  args: readonly string[],
  options: { readonly env: Env; readonly stdio: StdioOptions; readonly cwd?: string },
): Promise<Child> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      env: { ...options.env },
      stdio: options.stdio,
      detached: true,
      ...(options.cwd !== undefined && { cwd: options.cwd }),
    });
    const ended = new Promise<ChildEnd>((settle) => {
      child.once('exit', (code, signal) => settle({ code, signal }));
    });
    child.once('error', reject);
    child.once('spawn', () => {
      if (child.pid === undefined) return;
      tieToUs(child.pid, ended);
      resolve(handleOf(child, child.pid, ended));
    });
  });
}

/**
 * Has the child killed when this process dies without having ended it (SIGKILL, a crash, a test run
 * that is interrupted): a shell waits on a pipe that only our death closes without a word.
 */
function tieToUs(pid: number, ended: Promise<ChildEnd>): void {
  const shell = spawn('/bin/sh', ['-c', 'read -r line || kill -9 "$0"', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a shell there is no such help; neither may its early end disturb us.
  shell.on('error', () => {});
  shell.stdin.on('error', () => {});
  void ended.then(() => shell.stdin.end('over\n'));
}

function handleOf(child: ChildProcess, pid: number, ended: Promise<ChildEnd>): Child {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const endsWithin = async (ms: number): Promise<boolean> => {
    const waiting = new AbortController();
    await Promise.race([ended, delay(systemClock, ms, waiting.signal)]);
    waiting.abort();
    return hasEnded();
  };
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return {
    pid,
    process: child,
    ended,
    hasEnded,
    kill,
    async stop(graceMs) {
      child.kill('SIGTERM');
      if (await endsWithin(Math.min(SECOND_TERM_MS, graceMs))) return;
      child.kill('SIGTERM');
      if (await endsWithin(graceMs - SECOND_TERM_MS)) return;
      await kill();
    },
  };
}
