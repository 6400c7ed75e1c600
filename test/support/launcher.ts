/**
 * The compiled launcher as users run it, `node dist/launcher/main.js serve`, for tests: a child
 * process with a state folder and ports of its own, ended in any way and started again, and read by
 * its log and its admin API. Nothing of it is left when it is disposed of, its tasks included.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { RoomRow, TaskRow } from '../../launcher/admin/ports.ts';
import type { Env } from '../../launcher/dev/command.ts';
import type { LauncherPorts } from '../../launcher/dev/launcher.ts';
import { type LogRecord, parseRecord } from '../../launcher/dev/launcher-log.ts';
import { killLeftovers } from '../../launcher/dev/leftovers.ts';
import type { LiveKitServer } from '../../launcher/dev/livekit-server.ts';
import { freeTcpPorts } from '../../launcher/dev/ports.ts';
import { type Child, type ChildEnd, startChild } from '../../launcher/dev/process.ts';
import type { Cleanup } from './cleanup.ts';
import { startTestServer, type TestServerOptions } from './livekit-server.ts';
import { waitFor } from './wait.ts';

const MAIN = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url));
const READY_DEADLINE_MS = 20_000;
const END_DEADLINE_MS = 15_000;
const REQUEST_TIMEOUT_MS = 5_000;

export interface TestLauncherOptions {
  readonly server: Pick<LiveKitServer, 'url' | 'apiKey' | 'apiSecret'>;
  /** Default: free ones. They stay the same over `restart`. */
  readonly ports?: LauncherPorts;
  /** XDG_STATE_HOME. Default: a private folder that goes with the launcher. */
  readonly stateHome?: string;
  /** Default: `test`. */
  readonly deployment?: string;
  /** Set over the environment that every test launcher gets. */
  readonly env?: Env;
}

export interface TestLauncher extends AsyncDisposable {
  readonly ports: LauncherPorts;
  readonly webhookUrl: string;
  /** The deployment's folder of the process engine: a folder per task. */
  readonly stateDir: string;
  readonly pid: number;
  /** Everything that it printed so far, over all its lives. */
  output(): string;
  /** The log's lines so far, parsed, oldest first. */
  lines(): LogRecord[];
  /** The fields of the wide events of this name so far. */
  events(name: string): LogRecord['fields'][];
  rooms(): Promise<RoomRow[]>;
  tasks(): Promise<TaskRow[]>;
  /** Any request to the admin API. */
  admin(path: string, init?: RequestInit): Promise<Response>;
  taskFolder(key: string): string;
  /** Empty when there is none. */
  taskLog(key: string): Promise<string>;
  /** Sends the signal and waits for the launcher's end; its tasks go on. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<ChildEnd>;
  /** Starts it again, on the same ports and state, and waits until it is ready. */
  restart(): Promise<void>;
}

/** Starts a launcher and resolves when `/readyz` says so; rejects with its output otherwise. */
export async function startTestLauncher(options: TestLauncherOptions): Promise<TestLauncher> {
  const folder = await mkdtemp(join(tmpdir(), 'launcher-test-'));
  const stateHome = options.stateHome ?? folder;
  const deployment = options.deployment ?? 'test';
  const ports = options.ports ?? (await freeLauncherPorts());
  const env = { ...launcherEnv(options, ports, deployment, stateHome), ...options.env };
  const launcher = new LauncherProcess(
    env,
    folder,
    join(stateHome, 'room-launcher', deployment),
    ports,
  );
  try {
    await launcher.restart();
  } catch (error) {
    await launcher[Symbol.asyncDispose]();
    throw error;
  }
  return launcher;
}

export async function freeLauncherPorts(): Promise<LauncherPorts> {
  const [webhook = 0, gateway = 0, admin = 0] = await freeTcpPorts(3);
  return { webhook, gateway, admin };
}

export function webhookUrlOf(ports: LauncherPorts): string {
  return `http://127.0.0.1:${ports.webhook}/webhook`;
}

export interface Bed {
  readonly server: LiveKitServer;
  readonly rooms: RoomServiceClient;
  readonly launcher: TestLauncher;
}

/** A LiveKit server and a launcher that hears its webhooks, both gone with `cleanup`. */
export async function startBed(
  cleanup: Cleanup,
  options: Omit<TestLauncherOptions, 'server'> & { readonly livekit?: TestServerOptions } = {},
): Promise<Bed> {
  const ports = options.ports ?? (await freeLauncherPorts());
  const webhookUrls = [webhookUrlOf(ports)];
  const server = cleanup.use(await startTestServer({ webhookUrls, ...options.livekit }));
  const launcher = cleanup.use(await startTestLauncher({ ...options, ports, server }));
  return { server, rooms: roomClient(server), launcher };
}

export function roomClient(server: TestLauncherOptions['server']): RoomServiceClient {
  const { url, apiKey, apiSecret } = server;
  return new RoomServiceClient(url.replace('ws', 'http'), apiKey, apiSecret.reveal());
}

function launcherEnv(
  { server }: TestLauncherOptions,
  ports: LauncherPorts,
  deployment: string,
  stateHome: string,
): Env {
  const { PATH, HOME } = process.env;
  return {
    PATH,
    HOME,
    LIVEKIT_URL: server.url,
    LIVEKIT_API_KEY: server.apiKey,
    LIVEKIT_API_SECRET: server.apiSecret.reveal(),
    LAUNCHER_DRIVER: 'process',
    LAUNCHER_DEPLOYMENT: deployment,
    LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${ports.webhook}`,
    LAUNCHER_GATEWAY_LISTEN: `127.0.0.1:${ports.gateway}`,
    LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${ports.admin}`,
    LAUNCHER_LOG_LEVEL: 'debug',
    XDG_STATE_HOME: stateHome,
  };
}

class LauncherProcess implements TestLauncher {
  readonly ports: LauncherPorts;
  readonly stateDir: string;
  readonly #env: Env;
  readonly #folder: string;
  #child: Child | undefined;
  #text = '';

  constructor(env: Env, folder: string, stateDir: string, ports: LauncherPorts) {
    this.#env = env;
    this.#folder = folder;
    this.stateDir = stateDir;
    this.ports = ports;
  }

  get webhookUrl(): string {
    return webhookUrlOf(this.ports);
  }

  get pid(): number {
    return this.#running().pid;
  }

  output(): string {
    return this.#text;
  }

  lines(): LogRecord[] {
    return this.#text.split('\n').flatMap((line) => parseRecord(line) ?? []);
  }

  events(name: string): LogRecord['fields'][] {
    return this.lines().flatMap(({ event, fields }) => (event === name ? [fields] : []));
  }

  async rooms(): Promise<RoomRow[]> {
    const rows: RoomRow[] = JSON.parse(await (await this.admin('/api/rooms')).text());
    return rows;
  }

  async tasks(): Promise<TaskRow[]> {
    const rows: TaskRow[] = JSON.parse(await (await this.admin('/api/tasks')).text());
    return rows;
  }

  admin(path: string, init: RequestInit = {}): Promise<Response> {
    const url = `http://127.0.0.1:${this.ports.admin}${path}`;
    return fetch(url, { ...init, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  }

  taskFolder(key: string): string {
    return join(this.stateDir, key);
  }

  taskLog(key: string): Promise<string> {
    return readFile(join(this.taskFolder(key), 'log'), 'utf8').catch(() => '');
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<ChildEnd> {
    const child = this.#running();
    child.process.kill(signal);
    await waitFor(`the launcher's end by ${signal}`, () => child.hasEnded(), END_DEADLINE_MS);
    return child.ended;
  }

  async restart(): Promise<void> {
    const child = await startChild(process.execPath, [MAIN, 'serve'], {
      env: this.#env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const { stdout, stderr } = child.process;
    for (const stream of [stdout, stderr]) if (stream) this.#read(stream);
    const settled = () => child.hasEnded() || this.admin('/readyz').then(({ ok }) => ok);
    await waitFor('the launcher to be ready', settled, READY_DEADLINE_MS);
    if (child.hasEnded()) throw new Error(`the launcher ended at its start:\n${this.#text}`);
  }

  /** The launcher first, so that it replaces no task that is killed here. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.kill();
    await killLeftovers(this.stateDir);
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #read(stream: Readable): void {
    stream.setEncoding('utf8').on('data', (chunk: string) => (this.#text += chunk));
  }

  #running(): Child {
    if (!this.#child) throw new Error('the launcher was not started');
    return this.#child;
  }
}
