/** A driver in another process of the system: the contract suite's "fresh launcher". */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  type Driver,
  DriverError,
  type DriverTraits,
  type LaunchResult,
  type ObservedTask,
  type Output,
  type StopResult,
  type TaskUsage,
} from '../../launcher/driver.ts';
import type { DockerDriverOptions } from '../../launcher/drivers/docker/driver.ts';
import type { ProcessDriverOptions } from '../../launcher/drivers/process/driver.ts';

const HOST_FILE = fileURLToPath(new URL('driver-host.mjs', import.meta.url));
const LAUNCHER_FOLDER = fileURLToPath(new URL('../../dist/launcher', import.meta.url));

interface Message {
  readonly id?: number;
  readonly value?: unknown;
  readonly error?: { readonly kind?: DriverError['kind']; readonly message: string };
  readonly traits?: DriverTraits;
  readonly nudge?: true;
  /** A piece of a task's output; `over` is its end. */
  readonly text?: string;
  readonly over?: true | { readonly kind: DriverError['kind']; readonly message: string };
}
interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  /** What came of the output that was asked for, and who waits for more. */
  readonly output: Message[];
  more: () => void;
}
type Host = ChildProcessByStdio<Writable, Readable, null>;

export interface RemoteDriver extends Driver {
  /** Ends its process with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
}

/** Which driver to hold, and its options as far as they are plain data. */
export type DriverChoice =
  | {
      readonly name: 'process';
      readonly options: Pick<ProcessDriverOptions, 'stateDir' | 'deployment'>;
    }
  | { readonly name: 'docker'; readonly options: Omit<DockerDriverOptions, 'clock' | 'log'> };

/** Starts a process that holds a driver; `npm run build` must have compiled it. */
export async function remoteDriver(
  choice: DriverChoice,
  env: NodeJS.ProcessEnv,
): Promise<RemoteDriver> {
  const args = [HOST_FILE, LAUNCHER_FOLDER, choice.name, JSON.stringify(choice.options)];
  const host: Host = spawn(process.execPath, args, { env, stdio: ['pipe', 'pipe', 'inherit'] });
  host.stdin.on('error', () => {});
  const gone = once(host, 'exit');
  const pending = new Map<number, Pending>();
  const nudges = new Set<() => void>();
  const traits = await new Promise<DriverTraits>((resolve, reject) => {
    createInterface({ input: host.stdout }).on('line', (line) => {
      const message = JSON.parse(line, infinityFromText) as Message;
      if (message.traits !== undefined) resolve(message.traits);
      else if (message.nudge) for (const nudge of nudges) nudge();
      else settle(pending, message);
    });
    const end = () => {
      const error = new Error('the launcher process has ended; was the project built?');
      reject(error);
      for (const call of pending.values()) call.reject(error);
    };
    gone.then(end, end);
  });
  const call = caller(host, pending);
  return {
    traits,
    launch: (request, signal) => call<LaunchResult>('launch', [request], signal),
    list: (signal) => call<readonly ObservedTask[]>('list', [], signal),
    stop: (taskId, options, signal) => call<StopResult>('stop', [taskId, options], signal),
    logs: (taskId, options, signal) => call<Output | null>('logs', [taskId, options], signal),
    remove: (taskId, signal) => call<undefined>('remove', [taskId], signal),
    usage: (taskIds, signal) => call<readonly TaskUsage[]>('usage', [taskIds], signal),
    watch(nudge) {
      nudges.add(nudge);
      const begun = call('watch', []);
      return {
        async [Symbol.asyncDispose]() {
          await begun;
          await call('unwatch', []);
        },
      };
    },
    async kill() {
      host.kill('SIGKILL');
      await gone;
    },
    async [Symbol.asyncDispose]() {
      host.stdin.end();
      await gone;
    },
  };
}

function caller(host: Host, pending: Map<number, Pending>) {
  let lastId = 0;
  const say = (message: object) => host.stdin.write(`${JSON.stringify(message)}\n`);
  return <T>(verb: string, args: readonly unknown[], signal?: AbortSignal): Promise<T> =>
    new Promise<unknown>((resolve, reject) => {
      const id = (lastId += 1);
      pending.set(id, { resolve, reject, output: [], more: () => {} });
      say({ id, verb, args });
      if (signal?.aborted) say({ id, abort: true });
      signal?.addEventListener('abort', () => say({ id, abort: true }), { once: true });
    }) as Promise<T>;
}

function settle(pending: Map<number, Pending>, message: Message): void {
  const { id = 0, value, error } = message;
  const call = pending.get(id);
  if (message.text !== undefined || message.over !== undefined) {
    call?.output.push(message);
    call?.more();
    return;
  }
  if (call && value === true) return call.resolve(outputOf(call));
  pending.delete(id);
  if (error === undefined) call?.resolve(value);
  else if (error.kind === undefined) call?.reject(new Error(error.message));
  else call?.reject(new DriverError(error.kind, error.message));
}

async function* outputOf(call: Pending): Output {
  for (;;) {
    const message = call.output.shift();
    if (message?.text !== undefined) yield message.text;
    else if (message?.over === true) return;
    else if (message?.over) throw new DriverError(message.over.kind, message.over.message);
    else await new Promise<void>((resolve) => (call.more = resolve));
  }
}

function infinityFromText(_name: string, value: unknown): unknown {
  return value === 'Infinity' ? Infinity : value;
}
