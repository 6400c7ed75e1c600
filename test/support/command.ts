/** The compiled command run to its end, as a user would in a shell, with a state folder of its own. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Env } from '../../launcher/dev/command.ts';

export const MAIN = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url));
const END_DEADLINE_MS = 20_000;

export interface CommandEnd {
  /** Null: it did not end by itself, and was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether it made a state directory. */
  readonly leftState: boolean;
}

/** Settings that start a launcher beside anything, were there a LiveKit server at that port. */
export const GOOD_ENV = {
  LIVEKIT_URL: 'ws://127.0.0.1:9',
  LIVEKIT_API_KEY: 'APIkey',
  LIVEKIT_API_SECRET: 'an-api-secret-of-thirty-six-letters!',
  LAUNCHER_DRIVER: 'process',
  LAUNCHER_WEBHOOK_LISTEN: '127.0.0.1:0',
  LAUNCHER_GATEWAY_LISTEN: '127.0.0.1:0',
  LAUNCHER_ADMIN_LISTEN: '127.0.0.1:0',
};

export interface CommandOptions {
  /** When it is killed. */
  readonly deadlineMs?: number;
  /** Whose process it is; only root may choose. */
  readonly uid?: number;
}

/** Runs `room-launcher …args` with no environment but this, and the least that a program needs. */
export async function runCommand(
  args: readonly string[],
  env: Env = {},
  { deadlineMs = END_DEADLINE_MS, uid }: CommandOptions = {},
): Promise<CommandEnd> {
  const { PATH, HOME } = process.env;
  const state = await mkdtemp(join(tmpdir(), 'command-test-'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH, HOME, XDG_STATE_HOME: state, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: deadlineMs,
    ...(uid !== undefined && { uid }),
    killSignal: 'SIGKILL',
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => (text[name] += chunk));
  }
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  const leftState = existsSync(join(state, 'room-launcher'));
  await rm(state, { recursive: true });
  return { code, ...text, leftState };
}

export interface FollowedCommand extends AsyncDisposable {
  stdout(): string;
  stderr(): string;
  /** Sends the signal and resolves with the exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Its reader goes away, as `head` does. */
  closeStdout(): void;
  /** The exit code, once it has ended by itself. */
  readonly ended: Promise<number | null>;
}

/** Starts `room-launcher …args`, which goes on until it is ended. */
export function followCommand(args: readonly string[], env: Env = {}): FollowedCommand {
  const { PATH, HOME } = process.env;
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH, HOME, ...env },
    stdio: [...stdio],
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => (text[name] += chunk));
  }
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return {
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    end,
    closeStdout: () => void child.stdout?.destroy(),
    ended,
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
    },
  };
}
