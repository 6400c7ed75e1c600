/**
 * The contract suite's hold on the process engine: a directory of its own, launchers that are
 * processes of the system, tasks that are shell scripts.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as realDelay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Driver, LaunchRequest, ObservedTask, TaskKey } from '../../launcher/driver.ts';
import type { Abilities, Deployment, Harness, RequestOptions } from '../contract/harness.ts';
import { type RemoteDriver, remoteDriver } from './remote-driver.ts';

export const TASK_FILE = fileURLToPath(new URL('task.sh', import.meta.url));
const PAUSE_MS = 20;

export async function processHarness(): Promise<Harness> {
  const root = await mkdtemp(join(tmpdir(), 'room-launcher-contract-'));
  const bench = { state: join(root, 'state'), control: join(root, 'control') };
  await mkdir(bench.control);
  const launchers = new Set<RemoteDriver>();
  return {
    async driver(deployment = 'ours') {
      const env = { ...process.env, ONLY_THE_LAUNCHER: 'secret', LIVEKIT_API_SECRET: 'secret' };
      const options = { stateDir: bench.state, deployment };
      const launcher = await remoteDriver({ name: 'process', options }, env);
      launchers.add(launcher);
      return launcher;
    },
    request: (key, options) => request(bench, key, options),
    pause: () => realDelay(PAUSE_MS),
    pausesMax: 500,
    soonMs: 2_000,
    nowMs: () => Date.now(),
    abilities: abilitiesOf(bench, launchers),
    async [Symbol.asyncDispose]() {
      await Promise.all([...launchers].map((launcher) => launcher.kill()));
      await endAll(bench.state);
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Places {
  readonly state: string;
  readonly control: string;
}

/** Where a task of a key and its test exchange files. */
function controlOf(places: Places, key: TaskKey | null, deployment: Deployment): string {
  return join(places.control, `${deployment}.${key}`);
}

function request(
  places: Places,
  key: TaskKey,
  { deployment = 'ours', onSigterm }: RequestOptions = {},
): LaunchRequest {
  const env = {
    CONTROL: controlOf(places, key, deployment),
    ON_SIGTERM: onSigterm === undefined ? '' : String(onSigterm),
  };
  return { key, template: TASK_FILE, cpu: 1, memoryMiB: 256, profile: 'default', env };
}

function abilitiesOf(places: Places, launchers: ReadonlySet<RemoteDriver>): Abilities {
  const ours = join(places.state, 'ours');
  const folderOf = async (task: ObservedTask) => join(ours, String(task.key));
  return {
    async finish(task, code) {
      const control = await controlHolding(places, task);
      await writeFile(`${control}.exit.new`, String(code));
      await rename(`${control}.exit.new`, `${control}.exit`);
    },
    async write(task, to, line) {
      const control = await controlHolding(places, task);
      await writeFile(`${control}.say.new`, `${to} ${line}\n`);
      await rename(`${control}.say.new`, `${control}.say`);
      // Taken before the next may come.
      while (existsSync(`${control}.say`)) await realDelay(PAUSE_MS);
    },
    kill: async (task) => killGroup(pidIn(await folderOf(task), 'started')),
    async lose(task) {
      const folder = await folderOf(task);
      killProcess(pidIn(folder, 'pid'));
      killGroup(pidIn(folder, 'started'));
    },
    exhaust: { cannot: 'processes have no memory limit of their own' },
    async leaveHalfDone(key) {
      await mkdir(join(ours, key), { recursive: true });
      const record = { id: `${key}.0123456789abcdef`, template: TASK_FILE };
      await writeFile(join(ours, key, 'task.json'), JSON.stringify(record));
    },
    async plantDamaged() {
      await mkdir(join(ours, 'no task key'), { recursive: true });
    },
    async takeName(key) {
      await mkdir(ours, { recursive: true });
      await writeFile(join(ours, key), 'somebody else');
    },
    async makeOdd(task) {
      await writeFile(join(await folderOf(task), 'pid'), '{"state":"of another version"}');
    },
    refusedRequest: async (key) => ({ ...request(places, key), template: '/no/such/agent.js' }),
    async writeEnvFile(text) {
      const file = join(places.control, 'agent.env');
      await writeFile(file, text);
      return file;
    },
    seenEnv: async (task) => seenEnv(controlOf(places, task.key, 'ours')),
    starts: async (key) => (await linesOf(`${controlOf(places, key, 'ours')}.starts`)).length,
    async breakEngine() {
      await rename(ours, `${ours}.away`);
      await writeFile(ours, 'a file where the directory was');
    },
    async hang(task) {
      // Opening a FIFO that nobody writes to never returns.
      const fifo = join(places.control, 'fifo');
      await promisify(execFile)('mkfifo', [fifo]);
      await rename(fifo, join(await folderOf(task), 'task.json'));
    },
    loseNextAnswer: { cannot: 'its calls are system calls, whose answers do not get lost' },
    async killLauncher(driver: Driver) {
      for (const launcher of launchers) if (launcher === driver) await launcher.kill();
    },
  };
}

/** The task's own deployment is the one whose folder bears its id. */
async function controlHolding(places: Places, task: ObservedTask): Promise<string> {
  for (const deployment of ['ours', 'theirs'] as const) {
    const record = join(places.state, deployment, String(task.key), 'task.json');
    const text = await readFile(record, 'utf8').catch(() => '');
    if (text.includes(task.taskId)) return controlOf(places, task.key, deployment);
  }
  throw new Error(`no folder of ${task.taskId}`);
}

async function seenEnv(control: string): Promise<Record<string, string>> {
  // It writes `starts` after its environment.
  while ((await linesOf(`${control}.starts`)).length === 0) await realDelay(PAUSE_MS);
  const lines = await linesOf(`${control}.env`);
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

async function linesOf(file: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}

/** Ends what tests left running: supervisors first, so that nothing is written any more. */
export async function endAll(state: string): Promise<void> {
  const names = await readdir(state, { recursive: true }).catch(() => []);
  const folders = names
    .filter((name) => name.endsWith('task.json'))
    .map((name) => join(state, name, '..'));
  for (const folder of folders) killProcess(pidIn(folder, 'pid'));
  for (const folder of folders) killGroup(pidIn(folder, 'started'));
}

export function pidIn(folder: string, file: 'pid' | 'started'): number | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { pid?: number };
    return record.pid;
  } catch {
    return undefined;
  }
}

export function killProcess(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

export function killGroup(leader: number | undefined): void {
  killProcess(leader === undefined ? undefined : -leader);
}
