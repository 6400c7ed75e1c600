/** The runner's image for tests, by the docker client: containers of it, gone afterwards. */
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { FakeGateway } from '../fakes/gateway.ts';
import { waitFor } from './wait.ts';

export const AGENT_IMAGE = 'room-launcher-agent:latest';

/** As the driver starts a task: nothing that it may write but /tmp, nothing that it may do. */
export const HARDENED =
  '--init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges'.split(' ');

const run = promisify(execFile);

/** What `docker <args>` printed; rejects when it fails. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 16 * 1024 * 1024 });
  return stdout.trim();
}

export interface Container extends AsyncDisposable {
  readonly name: string;
  /** What it has printed. */
  output(): string;
  /** Resolves once it has printed `text`. */
  printed(text: string): Promise<void>;
  readonly exit: Promise<number | null>;
}

/** `docker run <args>`, attached. */
export function startContainer(args: readonly string[]): Container {
  const name = `room-launcher-test-${randomUUID()}`;
  const child = spawn('docker', ['run', '--name', name, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    name,
    output: () => text,
    printed: async (what) => {
      await waitFor(`"${what}" from the container`, () => text.includes(what));
    },
    exit,
    async [Symbol.asyncDispose]() {
      await docker('rm', '--force', '--volumes', name);
      await exit;
    },
  };
}

/** `docker run` flags that give a container the environment of a task of `gateway`. */
export function taskEnv(gateway: Pick<FakeGateway, 'url' | 'taskKey' | 'taskSecret'>): string[] {
  const env = {
    LIVEKIT_URL: gateway.url,
    LIVEKIT_API_KEY: gateway.taskKey,
    LIVEKIT_API_SECRET: gateway.taskSecret,
  };
  return Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
}
