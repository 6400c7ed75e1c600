/**
 * The launcher as the demo runs it: a child process with the environment of the public contract,
 * talked to as a user would, over HTTP, and read by its log.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import type { Env } from './command.ts';
import type { DemoEngine } from './engine.ts';
import { type LauncherLog, readLauncherLog } from './launcher-log.ts';
import type { LiveKitServer } from './livekit-server.ts';
import { type Child, startChild } from './process.ts';
import { poll, StepFailed } from './wait.ts';

export interface LauncherPorts {
  readonly webhook: number;
  readonly gateway: number;
  readonly admin: number;
}

export interface LauncherOptions {
  /** The user's environment; its LIVEKIT_ and LAUNCHER_ settings aim elsewhere and are left out. */
  readonly env: Env;
  readonly server: LiveKitServer;
  readonly engine: Pick<DemoEngine, 'hostAddress' | 'settings'>;
  readonly ports: LauncherPorts;
  readonly deployment: string;
  /** How many tasks wait for rooms to come. */
  readonly standby: number;
  /** Private folder for its log. */
  readonly folder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface RunningLauncher {
  readonly child: Child;
  readonly log: LauncherLog;
  readonly logFile: string;
  readonly adminUrl: string;
  /** Resolves once this many standbys can take a room; false when they cannot after a while. */
  standbysReady(count: number, signal: AbortSignal): Promise<boolean>;
  /** Stops every room's task and resolves when none runs; false when one still does after a while. */
  stopTasks(): Promise<boolean>;
  /** Orderly end of the launcher alone; tasks go on without it. */
  stop(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
const READY_DEADLINE_MS = 20_000;
const STOP_GRACE_MS = 10_000;
const TASKS_END_DEADLINE_MS = 10_000;
const STANDBYS_DEADLINE_MS = 60_000;
/** They are started one after another. */
const STANDBY_MORE_MS = 15_000;
const POLL_MS = 50;
const REQUEST_TIMEOUT_MS = 2_000;

/** Starts it and resolves when `/readyz` says so. Rejects with `StepFailed`. */
export async function startLauncher(options: LauncherOptions): Promise<RunningLauncher> {
  const child = await startChild(process.execPath, [MAIN, 'serve'], {
    env: launcherEnv(options),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const launcher = handleOf(child, options);
  const answers = () => child.hasEnded() || isReady(launcher.adminUrl);
  const timing = { pollMs: POLL_MS, deadlineMs: READY_DEADLINE_MS, clock: options.clock };
  const settled = await poll(async () => answers(), timing, options.signal);
  if (settled && !child.hasEnded()) return launcher;
  await launcher.stop();
  options.signal.throwIfAborted();
  const { code } = await child.ended;
  const why = settled ? `it ended with code ${code}` : `not ready after ${READY_DEADLINE_MS} ms`;
  throw new StepFailed('launcher ready', [why, ...launcher.log.tail()].join('\n'));
}

function launcherEnv(options: LauncherOptions): Env {
  const { env, server, engine, ports, deployment, standby } = options;
  const theirs = Object.entries(env).filter(([name]) => !/^(LIVEKIT|LAUNCHER)_/.test(name));
  return {
    ...Object.fromEntries(theirs),
    LIVEKIT_URL: server.url,
    LIVEKIT_API_KEY: server.apiKey,
    LIVEKIT_API_SECRET: server.apiSecret.reveal(),
    ...engine.settings,
    LAUNCHER_DEPLOYMENT: deployment,
    LAUNCHER_STANDBY: String(standby),
    LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${ports.webhook}`,
    LAUNCHER_GATEWAY_LISTEN: `${engine.hostAddress}:${ports.gateway}`,
    LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${ports.admin}`,
  };
}

function handleOf(child: Child, options: LauncherOptions): RunningLauncher {
  const { folder, ports, clock } = options;
  const logFile = join(folder, 'launcher.log');
  const copy = createWriteStream(logFile, { mode: 0o600 });
  const { stdout, stderr } = child.process;
  const streams = [stdout, stderr].filter((stream) => stream !== null);
  // A copy that cannot be written is no reason to end; lines can come after the process's exit.
  copy.on('error', () => {});
  const log = readLauncherLog(streams, (line) => {
    if (copy.writable) copy.write(`${line}\n`);
  });
  const adminUrl = `http://127.0.0.1:${ports.admin}`;
  return {
    child,
    log,
    logFile,
    adminUrl,
    standbysReady: (count, signal) => standbysReady(child, adminUrl, count, { clock, signal }),
    stopTasks: () => stopTasks(child, adminUrl, clock),
    async stop() {
      await child.stop(STOP_GRACE_MS);
      const closed = once(copy, 'close');
      copy.end();
      await closed;
    },
  };
}

async function isReady(adminUrl: string): Promise<boolean> {
  return request(`${adminUrl}/readyz`)
    .then((response) => response.ok)
    .catch(() => false);
}

/** What the demo reads of `/api/tasks`. */
const TaskRows = z.array(
  z.object({ key: z.string().nullable(), phase: z.string(), standby: z.string().nullable() }),
);

async function tasksOf(adminUrl: string) {
  const response = await request(`${adminUrl}/api/tasks`);
  return TaskRows.parse(await response.json());
}

async function standbysReady(
  child: Child,
  adminUrl: string,
  count: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<boolean> {
  const ready = async () =>
    child.hasEnded() ||
    (await tasksOf(adminUrl)).filter(({ standby }) => standby === 'ready').length >= count;
  const deadlineMs = STANDBYS_DEADLINE_MS + count * STANDBY_MORE_MS;
  const timing = { pollMs: POLL_MS, deadlineMs, clock };
  return (await poll(() => ready().catch(() => false), timing, signal)) && !child.hasEnded();
}

/** Standbys have no room: the launcher would replace them, and they are cleared away after it. */
async function stopTasks(child: Child, adminUrl: string, clock: Clock): Promise<boolean> {
  const noneRuns = async () => {
    if (child.hasEnded()) return true;
    const rows = await tasksOf(adminUrl);
    const live = rows.filter(({ phase, standby }) => phase !== 'ended' && standby === null);
    const stops = live.map(({ key }) =>
      request(`${adminUrl}/api/tasks/${key}/stop`, { method: 'POST' }),
    );
    await Promise.all(stops);
    return live.length === 0;
  };
  const timing = { pollMs: POLL_MS * 4, deadlineMs: TASKS_END_DEADLINE_MS, clock };
  const none = await poll(() => noneRuns().catch(() => false), timing);
  return none && !child.hasEnded();
}

function request(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
}
