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

/** Runs `room-launcher …args` with no environment but this, and the least that a program needs. */
export async function runCommand(args: readonly string[], env: Env = {}): Promise<CommandEnd> {
  const { PATH, HOME } = process.env;
  const state = await mkdtemp(join(tmpdir(), 'command-test-'));
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH, HOME, XDG_STATE_HOME: state, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: END_DEADLINE_MS,
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
