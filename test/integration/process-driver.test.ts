/** What the process engine promises beyond the driver contract. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as realDelay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Driver, LaunchRequest, ObservedTask, TaskKey } from '../../launcher/driver.ts';
import { processDriver } from '../../launcher/drivers/process/driver.ts';
import { essentialEnv } from '../../launcher/drivers/process/environment.ts';
import { identityOf } from '../../launcher/drivers/process/identity.ts';
import { residentBytes } from '../../launcher/drivers/process/usage.ts';
import type { Fields, Log } from '../../launcher/lib/log.ts';
import { endAll, killProcess, pidIn } from '../support/process-harness.ts';

const SUPERVISOR_FILE = fileURLToPath(
  new URL('../../dist/launcher/drivers/process/supervisor.js', import.meta.url),
);
const WAIT_MS = 10_000;
const KEY = 'r-RM_1-1' as TaskKey;
const NOW = { graceMs: 0, reason: 'test' };

let state: string;
let driver: Driver;
let warnings: { message: string; fields: Fields }[];
const silent = () => {};
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
const calm = () => new AbortController().signal;
const folder = () => join(state, 'ours', KEY);

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'room-launcher-process-'));
  warnings = [];
  const warn: Log['warn'] = (message, fields = {}) => void warnings.push({ message, fields });
  driver = processDriver({
    stateDir: state,
    deployment: 'ours',
    command: (template) => ['/bin/sh', template],
    baseEnv: essentialEnv(process.env),
    supervisorFile: SUPERVISOR_FILE,
    log: { debug: silent, info: silent, warn, error: silent, event: silent },
  });
});

afterEach(async () => {
  await endAll(state);
  await rm(state, { recursive: true, force: true, maxRetries: 5 });
});

/** Launches a shell script as the task. */
async function launch(script: string, fields: Partial<LaunchRequest> = {}) {
  const template = join(state, 'agent.sh');
  await writeFile(template, script);
  const size = { cpu: 1, memoryMiB: 1, profile: 'default' };
  return driver.launch({ key: KEY, template, ...size, env: {}, ...fields }, calm());
}

async function only(): Promise<ObservedTask> {
  const tasks = await driver.list(calm());
  expect(tasks).toHaveLength(1);
  return tasks[0] as ObservedTask;
}

async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  const deadlineMs = Date.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadlineMs) throw new Error('gave up waiting');
    await realDelay(20);
  }
}

const reaches = (phase: ObservedTask['phase']) =>
  until(async () => {
    const task = await only();
    return task.phase === phase && task;
  });

it('keeps to its owner, and writes no secret down', async () => {
  const envFile = join(state, 'agent.env');
  await writeFile(
    envFile,
    'OPENAI_API_KEY=secret-of-the-agent\nLIVEKIT_API_SECRET=secret-of-theirs\n',
  );
  await launch('echo hello; echo $OPENAI_API_KEY | wc -c; exec sleep 60', {
    env: { LIVEKIT_API_SECRET: 'secret-of-the-task' },
    envFile,
  });
  await reaches('running');
  await until(async () => (await readFile(join(folder(), 'log'), 'utf8')).includes('20'));
  expect(await mode(join(state, 'ours'))).toBe('700');
  expect(await mode(folder())).toBe('700');
  for (const name of await readdir(folder())) {
    expect([name, await mode(join(folder(), name))]).toEqual([name, '600']);
    expect(await readFile(join(folder(), name), 'utf8')).not.toContain('secret');
  }
  const pids = [pidIn(folder(), 'pid'), pidIn(folder(), 'started')];
  for (const pid of process.platform === 'linux' ? pids : []) {
    expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('secret');
    // Set in this process, which stands for the launcher.
    expect(await readFile(`/proc/${pid}/environ`, 'utf8')).not.toContain('VITEST');
  }
  expect(warnings).toHaveLength(1);
  expect(warnings[0]?.fields).toMatchObject({ names: 'LIVEKIT_API_SECRET' });
  expect(JSON.stringify(warnings)).not.toContain('secret-of');
});

it('shows a task that lost its supervisor as running, and can still end it', async () => {
  await launch('trap "" TERM; while :; do sleep 1; done');
  await reaches('running');
  const child = pidIn(folder(), 'started') ?? 0;
  killProcess(pidIn(folder(), 'pid'));
  const supervisorGone = async () => identityOf(pidIn(folder(), 'pid') ?? 0) === null;
  await until(supervisorGone);
  const { taskId, phase } = await only();
  expect(phase).toBe('running');
  expect(await driver.stop(taskId, NOW, calm())).toBe('accepted');
  expect((await reaches('ended')).exit?.code).toBeNull();
  expect(identityOf(child)).toBeNull();
});

it('takes a pid that was given to another process for what it is', async () => {
  const bystander = spawn('sleep', ['60']);
  try {
    const record = JSON.stringify({ pid: bystander.pid, identity: 'of another boot', atMs: 1 });
    await mkdir(folder(), { recursive: true });
    await writeFile(join(folder(), 'task.json'), `{"id":"${KEY}.00","template":"a"}`);
    for (const name of ['pid', 'started']) await writeFile(join(folder(), name), record);
    const task = await only();
    expect([task.phase, task.exit?.code]).toEqual(['ended', null]);
    expect(await driver.stop(task.taskId, NOW, calm())).toBe('nothing-to-stop');
    expect(identityOf(bystander.pid ?? 0)).not.toBeNull();
  } finally {
    bystander.kill('SIGKILL');
  }
});

it('half an order starts nothing and leaves the task to a repeat', async () => {
  await mkdir(folder(), { recursive: true });
  await writeFile(join(folder(), 'task.json'), `{"id":"${KEY}.00","template":"${state}/agent.sh"}`);
  const supervisor = spawn(process.execPath, [SUPERVISOR_FILE, folder()]);
  supervisor.stdin.end('{"command":["/bin/sh","-c","echo"],"env":{"A');
  await once(supervisor, 'exit');
  expect((await only()).phase).toBe('starting');
  await launch('exit 5');
  expect((await reaches('ended')).exit?.code).toBe(5);
});

it('kills what a task leaves in its process group', async () => {
  await launch('sleep 60 & echo $! ; exit 0');
  await reaches('ended');
  const left = Number(await readFile(join(folder(), 'log'), 'utf8'));
  await until(async () => identityOf(left) === null);
});

it('passes a SIGTERM of somebody else on to the task', async () => {
  await launch('trap "exit 9" TERM; echo ready; while :; do sleep 0.02; done');
  await reaches('running');
  await until(async () => (await readFile(join(folder(), 'log'), 'utf8')) === 'ready\n');
  process.kill(pidIn(folder(), 'pid') ?? 0, 'SIGTERM');
  expect((await reaches('ended')).exit?.code).toBe(9);
});

it('says that a program cannot be run', async () => {
  const broken = processDriver({
    stateDir: state,
    deployment: 'ours',
    command: () => ['/no/such/program'],
    baseEnv: {},
    supervisorFile: SUPERVISOR_FILE,
  });
  driver = broken;
  await launch('');
  const { exit } = await reaches('ended');
  expect(exit?.code).toBe(127);
  expect(exit?.detail).toContain('/no/such/program');
});

it('rejects rather than list nothing when its directory vanishes', async () => {
  await launch('exec sleep 60');
  await reaches('running');
  await endAll(state);
  await rm(join(state, 'ours'), { recursive: true, force: true, maxRetries: 5 });
  await expect(driver.list(calm())).rejects.toMatchObject({ kind: 'unavailable' });
});

it('a stop that the supervisor has not read yet is not put off by a later, longer one', async () => {
  await launch("trap '' TERM; while :; do sleep 0.05; done");
  const { taskId } = await reaches('running');
  const supervisor = pidIn(folder(), 'pid') ?? 0;
  expect(supervisor).toBeGreaterThan(1);
  process.kill(supervisor, 'SIGSTOP');
  await driver.stop(taskId, { graceMs: 100, reason: 'test' }, calm());
  await driver.stop(taskId, { graceMs: 60_000, reason: 'test' }, calm());
  process.kill(supervisor, 'SIGCONT');
  const { exit } = await reaches('ended');
  expect(exit?.code).toBe(137);
});

it('a task holds the memory of all its processes together', async () => {
  await launch('for _ in 1 2 3; do sleep 60 & pids="$pids $!"; done; echo $$ $pids; wait');
  const { taskId } = await reaches('running');
  const pids = await until(async () => {
    const [line, rest] = (await readFile(join(folder(), 'log'), 'utf8')).split('\n');
    return rest !== undefined && line?.split(' ');
  });
  expect(pids).toHaveLength(4);
  // Each child has become `sleep` at some time, and holds the same memory from then on.
  await until(async () => {
    const each = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8')));
    const [usage] = (await driver.usage?.([taskId], calm())) ?? [];
    return usage?.memoryBytes === each.map(residentBytes).reduce((sum, bytes) => sum + bytes);
  });
});
