/** Our compiled runner as a process of its own, killed at the test's end if it still runs. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FakeGateway } from '../fakes/gateway.ts';
import { waitFor } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../dist/agent-image/main.js', import.meta.url));

export interface Runner extends AsyncDisposable {
  /** What it has printed. */
  output(): string;
  /** The fields of its first line with this message. */
  line(message: string): Promise<Record<string, unknown>>;
  kill(signal: NodeJS.Signals): void;
  /** Closes our end of its pipes. */
  stopReading(): void;
  readonly exit: Promise<number | null>;
}

/** A fixture's path; `example` is the example agent, compiled. */
export function agentFile(name: string): string {
  const path = name === 'example' ? '../../dist/agent-image/examples/agent.js' : name;
  const base = name === 'example' ? import.meta.url : new URL('../fixtures/', import.meta.url);
  return fileURLToPath(new URL(path, base));
}

/** Starts the runner with the environment of a task of `gateway`. */
export function startRunner(
  gateway: Pick<FakeGateway, 'url' | 'taskKey' | 'taskSecret'>,
  operands: readonly string[],
  env: Record<string, string> = {},
): Runner {
  const child = spawn(process.execPath, [MAIN, ...operands], {
    env: {
      PATH: process.env['PATH'],
      LIVEKIT_URL: gateway.url,
      LIVEKIT_API_KEY: gateway.taskKey,
      LIVEKIT_API_SECRET: gateway.taskSecret,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    output: () => text,
    line: (message) => waitFor(`"${message}" from the runner`, () => find(text, message)),
    kill: (signal) => void child.kill(signal),
    stopReading: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
    exit,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}

function find(text: string, message: string): Record<string, unknown> | null {
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue;
    const fields: Record<string, unknown> = JSON.parse(line);
    if (fields['msg'] === message) return fields;
  }
  return null;
}
