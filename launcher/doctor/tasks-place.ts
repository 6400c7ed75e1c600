/**
 * Runs a program where tasks run: in a container like theirs, on their network, of their image; or,
 * for the process driver, as a process of this machine. It is gone afterwards.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Profile } from '../core/desired.ts';
import { statusOf, wordsOf } from '../drivers/docker/errors.ts';
import { Networks, removeNetworks } from '../drivers/docker/network.ts';
import { containerSpec } from '../drivers/docker/spec.ts';
import type { TaskKey } from '../driver.ts';
import type { SeenDocker } from './docker.ts';
import { PYTHON_PROGRAM } from './inside-python.ts';

/** No room has this sid: the key opens no door, and marks nothing that a launcher would list. */
export const DOCTOR_KEY = 'r-RM_doctor-1' as TaskKey;
const DOCTOR_LABEL = 'room-launcher.doctor';
const CREATE_TIMEOUT_MS = 20_000;
const REMOVE_TIMEOUT_MS = 5_000;
const PYTHON_COMMANDS = ['python3', 'python'].map((name) => [name, '-c', PYTHON_PROGRAM]);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const reply = z.object({
  status: z.number().optional(),
  nonce: z.string().nullish(),
  error: z.string().optional(),
});
const media = z.object({
  missing: z.boolean().optional(),
  protocol: z.string().nullish(),
  error: z.string().optional(),
});
const answer = z.object({
  gateway: reply.nullable(),
  livekit: reply.nullable(),
  media: media.nullable(),
});

/** An answer's status and the doctor's header in it, or the code of what went wrong. */
export type Reply = z.infer<typeof reply>;
export type Media = z.infer<typeof media>;
export type Answer = z.infer<typeof answer>;

export interface Door {
  readonly url: string;
  readonly token: string;
}

export interface Job {
  readonly gateway: Door | null;
  readonly livekit: string | null;
  readonly room: Door | null;
}

/** None of our programs could be run; in the words of whoever refused. */
export interface Unrun {
  readonly unrun: string;
}

/** Where tasks run, as far as programs can be run there. */
export interface TasksPlace {
  /** How people call it. */
  readonly name: string;
  /** Rejects where not even a container can be made. */
  run(job: Job, signal: AbortSignal): Promise<Answer | Unrun>;
}

export function processPlace(): TasksPlace {
  return {
    name: 'a process of this machine',
    async run(job, signal) {
      const args = nodeCommand().slice(1);
      // In our own folder it finds LiveKit's client, where it is installed.
      const child = spawn(process.execPath, args, {
        cwd: ROOT,
        signal,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const ended = once(child, 'close');
      child.stdin.on('error', () => {}).end(JSON.stringify(job));
      const output = Promise.all([text(child.stdout), text(child.stderr), ended]);
      const [printed, complaint] = await output;
      return read(printed, complaint);
    },
  };
}

/** A container of this profile's image; each run is a container of its own. */
export function containerPlace(seen: SeenDocker, profile: Profile): TasksPlace {
  return {
    name: `a container of ${profile.template}`,
    async run(job, signal) {
      const programs = [nodeCommand(), ...PYTHON_COMMANDS];
      const before = await seen.engine.networks(seen.deployment, signal);
      try {
        let unrun = '';
        for (const command of programs) {
          const found = await inContainer(seen, profile, command, job, signal);
          if (!('unrun' in found)) return found;
          unrun ||= found.unrun;
        }
        return { unrun };
      } finally {
        // A launcher that runs made it before; one that has come meanwhile has containers on it.
        if (before.length === 0) {
          const limit = AbortSignal.timeout(REMOVE_TIMEOUT_MS);
          await removeNetworks(seen.engine, seen.deployment, limit).catch(() => {});
        }
      }
    },
  };
}

function nodeCommand(): readonly string[] {
  const program = readFileSync(new URL('./inside.js', import.meta.url), 'utf8');
  return ['node', '--input-type=module', '-e', program];
}

async function inContainer(
  seen: SeenDocker,
  profile: Profile,
  command: readonly string[],
  job: Job,
  signal: AbortSignal,
): Promise<Answer | Unrun> {
  const container = `${seen.deployment}.doctor-${randomBytes(4).toString('hex')}`;
  const made = seen.docker.getContainer(container);
  try {
    await makeContainer(seen, profile, { container, command }, signal);
    const streams = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true };
    const stream = await made.attach({ ...streams, abortSignal: signal });
    const [printed, said] = [new PassThrough(), new PassThrough()];
    seen.docker.modem.demuxStream(stream, printed, said);
    for (const end of ['end', 'error']) {
      stream.once(end, () => {
        printed.end();
        said.end();
      });
    }
    const output = Promise.all([text(printed), text(said)]);
    await made.start({ abortSignal: signal });
    stream.end(JSON.stringify(job));
    const stop = () => void made.kill().catch(() => {});
    signal.addEventListener('abort', stop, { once: true });
    const [answered, complaint] = await output;
    signal.removeEventListener('abort', stop);
    signal.throwIfAborted();
    return read(answered, complaint);
  } catch (error) {
    // Such as: there is no such program in the image.
    if (statusOf(error) !== null) return { unrun: wordsOf(error) };
    throw error;
  } finally {
    await made.remove({ force: true, v: true }).catch(() => {});
  }
}

/** A container as a task's is made, but for its program and its labels. */
async function makeContainer(
  { engine, network, deployment }: SeenDocker,
  profile: Profile,
  { container, command }: { readonly container: string; readonly command: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const attached = await new Networks(deployment, network).attach(engine, signal);
  if ('outcome' in attached) throw new Error(attached.detail);
  const { template, name, cpu, memoryMiB, options } = profile;
  const request = { key: DOCTOR_KEY, template, profile: name, cpu, memoryMiB, env: {} };
  const around = { deployment, ...attached, logDriver: engine.logDriver, variables: {} };
  const spec = containerSpec({ ...request, ...(options && { options }) }, around);
  const [program, ...args] = command;
  const own = {
    ...spec,
    // None of the deployment's: a launcher must not take it for a task.
    Labels: { [DOCTOR_LABEL]: '1' },
    Entrypoint: program ?? '',
    Cmd: args,
    OpenStdin: true,
    StdinOnce: true,
    // Without an init, the engine itself says that there is no such program.
    HostConfig: { ...spec.HostConfig, Init: false },
  };
  try {
    // Not given up half-way: what the engine makes is to be removed.
    await engine.create(container, own, AbortSignal.timeout(CREATE_TIMEOUT_MS));
    signal.throwIfAborted();
  } catch (error) {
    if (statusOf(error) === null) throw error;
    const message = `the engine makes no container of ${template}: ${wordsOf(error)}`;
    throw new Error(message, { cause: error });
  }
}

/** What was printed, or why it is no answer. */
function read(printed: string, complaint: string): Answer | Unrun {
  const line = printed.trim().split('\n').at(-1) ?? '';
  if (line.startsWith('{')) return answer.parse(JSON.parse(line));
  return { unrun: complaint.trim().split('\n').at(-1) || 'the program said nothing' };
}
