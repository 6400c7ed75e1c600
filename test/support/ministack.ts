/**
 * The emulator of AWS for tests: a process on a port of the system's choice, whose ECS tasks are
 * real containers of this machine's engine. Gone afterwards with all its containers, also when a
 * test fails. It listens on loopback, or on the engine's bridge, where its tasks can call it too.
 */
import { open, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { ContainerInfo } from 'dockerode';
import { afterAll, beforeAll } from 'vitest';
import type { Env } from '../../launcher/dev/command.ts';
import { freeTcpPorts } from '../../launcher/dev/ports.ts';
import { type Child, startChild } from '../../launcher/dev/process.ts';
import { findMinistack } from '../ministack.mjs';
import { docker, removeContainer, uniqueName } from './docker-engine.ts';
import { waitFor } from './wait.ts';

export const EMULATOR_REGION = 'us-east-1';
/** The emulator takes any. */
export const EMULATOR_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** A first start may have to install it. */
const START_TIMEOUT_MS = 300_000;
/** Each try has a new port: another process may have taken one in between. */
const START_TRIES = 4;
const READY_DEADLINE_MS = 20_000;
const GONE_DEADLINE_MS = 20_000;

export interface MinistackOptions {
  /** Default: loopback. The engine's bridge: tasks reach it as `host.docker.internal`. */
  readonly bindHost?: string;
  /** Of AWS, as the emulator names them, comma separated; `''`: all that it has. */
  readonly services?: string;
}

export interface Ministack extends AsyncDisposable {
  /** `http://<bindHost>:<port>`. */
  readonly url: string;
  readonly pid: number;
  /** The containers of its tasks, ended ones too, with these labels beside its own. */
  containers(...labels: readonly string[]): Promise<ContainerInfo[]>;
}

/** Starts one and resolves when it answers; the caller disposes of it. */
export async function startMinistack({
  bindHost = '127.0.0.1',
  services = 'ecs,sqs',
}: MinistackOptions = {}): Promise<Ministack> {
  const env = process.env;
  const python = await findMinistack({ env, say: (line: string) => console.error(line) });
  const folder = await mkdtemp(join(tmpdir(), 'ministack-'));
  try {
    for (let tried = 1; ; tried += 1) {
      try {
        return await startOnce(python, { folder, bindHost, services });
      } catch (error) {
        if (tried === START_TRIES) throw error;
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Call it at the top of a `describeWith('docker', 'ministack')`: starts one before its tests, ends
 * it after them. The returned function gives it.
 */
export function ministack(): () => Ministack {
  let running: Ministack | undefined;
  beforeAll(async () => {
    running = await startMinistack();
  }, START_TIMEOUT_MS);
  afterAll(() => running?.[Symbol.asyncDispose]());
  return () => {
    if (!running) throw new Error('the emulator runs only while tests run');
    return running;
  };
}

type Place = Required<MinistackOptions> & { readonly folder: string };

async function startOnce(python: string, place: Place): Promise<Ministack> {
  const { folder, bindHost } = place;
  const [port = 0] = await freeTcpPorts(1);
  const url = `http://${bindHost}:${port}`;
  // By this name and its port it marks its containers, and knows them from those of others.
  const name = uniqueName('ministack');
  const logFile = join(folder, 'log');
  const child = await startLogging(python, emulatorEnv(name, port, place), logFile);
  try {
    await ready(child, url, logFile);
  } catch (error) {
    await child.kill();
    throw error;
  }
  const own = `ministack.instance=${name}:${port}`;
  const containers = (...labels: readonly string[]) =>
    docker.listContainers({ all: true, filters: { label: [own, ...labels] } });
  return {
    url,
    pid: child.pid,
    containers,
    async [Symbol.asyncDispose]() {
      await child.kill();
      await waitFor('its containers to be gone', () => cleared(containers), GONE_DEADLINE_MS);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What a start in its last moment leaves shows in the next list. */
async function cleared(list: Ministack['containers']): Promise<boolean> {
  const left = await list();
  await Promise.all(left.map(({ Id }) => removeContainer(Id)));
  return left.length === 0;
}

function emulatorEnv(name: string, port: number, { folder, bindHost, services }: Place): Env {
  const { PATH, HOME, DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY } = process.env;
  const given = { PATH, HOME, DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY };
  return {
    ...given,
    BIND_HOST: bindHost,
    // By this name its answers call it, in a queue's URL for example.
    MINISTACK_HOST: bindHost,
    GATEWAY_PORT: String(port),
    MINISTACK_HOSTNAME: name,
    ...(services && { SERVICES: services }),
    // Where it puts its pid and, were there any, its data.
    TMPDIR: folder,
    // Ports of their own, which two emulators could not share.
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
  };
}

async function startLogging(python: string, env: Env, logFile: string): Promise<Child> {
  const log = await open(logFile, 'a', 0o600);
  try {
    return await startChild(python, ['-m', 'ministack'], {
      env,
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
}

async function ready(child: Child, url: string, logFile: string): Promise<void> {
  const answers = () => fetch(`${url}/_ministack/ready`).then(({ ok }) => ok);
  const settled = async () => child.hasEnded() || answers();
  await waitFor('the emulator to answer', settled, READY_DEADLINE_MS);
  if (!child.hasEnded()) return;
  throw new Error(`the emulator ended at its start:\n${await readFile(logFile, 'utf8')}`);
}
