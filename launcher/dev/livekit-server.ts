/**
 * Runs a real `livekit-server` on this machine for the demo and the tests: loopback only, on ports
 * that nobody uses, with a key and a secret of its own that stand in a private file, never on a
 * command line.
 */
import { randomBytes } from 'node:crypto';
import { open, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RoomServiceClient } from 'livekit-server-sdk';
import { stringify } from 'yaml';
import { delay, systemClock } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';
import { Secret } from '../lib/secret.ts';
import type { Env } from './command.ts';
import { freeTcpPorts, freeUdpPort } from './ports.ts';
import { startChild, type Child } from './process.ts';

export interface LiveKitServerOptions {
  /** Path of the binary: `findLiveKitServer`. */
  readonly bin: string;
  readonly env: Env;
  readonly apiKey?: string;
  /** LiveKit wants 32 characters or more. */
  readonly apiSecret?: Secret;
  readonly webhookUrls?: readonly string[];
  readonly roomConfig?: {
    readonly emptyTimeoutSeconds: number;
    readonly departureTimeoutSeconds: number;
  };
  /** Where its log goes; default: a file that goes with the server. */
  readonly logFile?: string;
  /** Default: 127.0.0.1 alone. */
  readonly bindAddresses?: readonly string[];
  /** Address that media flows to. */
  readonly nodeIp?: string;
  /** Media flows by TCP, as where UDP is blocked. */
  readonly tcpOnly?: boolean;
  readonly signal?: AbortSignal;
}

export interface LiveKitServer extends AsyncDisposable {
  /** `ws://127.0.0.1:<port>`. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: Secret;
  readonly pid: number;
  readonly logFile: string;
  /** SIGKILL, as a crash would; `start` brings it back. */
  kill(): Promise<void>;
  /** Orderly end; `start` brings it back. */
  stop(): Promise<void>;
  /** Starts it again after `kill` or `stop`: same ports, keys and webhooks; rooms are lost. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  [Symbol.asyncDispose](): Promise<void>;
}

interface Ports {
  readonly http: number;
  readonly tcp: number;
  readonly udp: number;
}

/** Each try has new ports: another process may have taken one in between. */
const START_TRIES = 4;
const READY_DEADLINE_MS = 15_000;
const READY_POLL_MS = 20;
const STOP_GRACE_MS = 5_000;
const LOG_TAIL_LINES = 5;

/**
 * Starts a server and resolves when it answers calls made with its key, which no other server on
 * that port would. Rejects with the end of its log when it does not start.
 */
export async function startLiveKitServer(options: LiveKitServerOptions): Promise<LiveKitServer> {
  const folder = await mkdtemp(join(tmpdir(), 'livekit-server-')); // mkdtemp makes it 0700
  const apiKey = options.apiKey ?? `API${randomBytes(6).toString('hex')}`;
  const apiSecret = options.apiSecret ?? new Secret(randomBytes(32).toString('base64url'));
  const logFile = options.logFile ?? join(folder, 'log');
  const files = { config: join(folder, 'livekit.yaml'), logFile };
  try {
    for (let tried = 1; ; tried += 1) {
      const [http = 0, tcp = 0] = await freeTcpPorts(2);
      const ports = { http, tcp, udp: await freeUdpPort() };
      const yaml = stringify(serverConfig(options, apiKey, apiSecret, ports));
      await writeFile(files.config, yaml, { mode: 0o600 });
      const access = { url: `ws://127.0.0.1:${http}`, apiKey, apiSecret };
      try {
        const child = await startOnce(options, files, access);
        return handleOf(options, files, access, folder, child);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (tried === START_TRIES) throw error;
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** What livekit-server reads; the names are those of its own config file. */
function serverConfig(
  options: LiveKitServerOptions,
  apiKey: string,
  apiSecret: Secret,
  ports: Ports,
): object {
  const room = options.roomConfig;
  return {
    port: ports.http,
    bind_addresses: options.bindAddresses ?? ['127.0.0.1'],
    keys: { [apiKey]: apiSecret.reveal() },
    rtc: {
      tcp_port: ports.tcp,
      udp_port: ports.udp,
      node_ip: options.nodeIp ?? '127.0.0.1',
      use_external_ip: false,
      enable_loopback_candidate: options.nodeIp === undefined,
      force_tcp: options.tcpOnly ?? false,
      // Of all addresses, media is waited for at the first alone, whichever one is announced.
      ...(options.nodeIp !== undefined && { ips: { includes: [`${options.nodeIp}/32`] } }),
      // Nothing answers there, and nothing asks beyond this machine.
      stun_servers: ['127.0.0.1:3478'],
    },
    ...(options.webhookUrls && { webhook: { api_key: apiKey, urls: options.webhookUrls } }),
    ...(room && {
      room: {
        empty_timeout: room.emptyTimeoutSeconds,
        departure_timeout: room.departureTimeoutSeconds,
      },
    }),
  };
}

type Access = Pick<LiveKitServer, 'url' | 'apiKey' | 'apiSecret'>;
interface Files {
  readonly config: string;
  readonly logFile: string;
}

async function startOnce(
  options: LiveKitServerOptions,
  files: Files,
  access: Access,
): Promise<Child> {
  const child = await startLogging(options, files);
  try {
    await ready(child, access, files.logFile, options.signal);
    return child;
  } catch (error) {
    await child.kill();
    throw error;
  }
}

async function startLogging(options: LiveKitServerOptions, files: Files): Promise<Child> {
  const log = await open(files.logFile, 'a', 0o600);
  const { PATH, HOME } = options.env;
  try {
    return await startChild(options.bin, ['--config', files.config], {
      // No LIVEKIT_* variable of the user may mix with our file.
      env: { PATH, HOME },
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
}

async function ready(
  child: Child,
  { url, apiKey, apiSecret }: Access,
  logFile: string,
  signal?: AbortSignal,
): Promise<void> {
  const client = new RoomServiceClient(url.replace('ws', 'http'), apiKey, apiSecret.reveal());
  const deadlineMs = systemClock.nowMs() + READY_DEADLINE_MS;
  for (;;) {
    try {
      await client.listRooms();
      return;
    } catch (error) {
      signal?.throwIfAborted();
      const ended = child.hasEnded();
      if (ended || systemClock.nowMs() > deadlineMs) {
        const why = ended ? 'it ended' : `no answer in ${READY_DEADLINE_MS} ms: ${reasonOf(error)}`;
        const tail = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-LOG_TAIL_LINES);
        throw new Error([`livekit-server did not start: ${why}`, ...tail].join('\n'), {
          cause: error,
        });
      }
      await delay(systemClock, READY_POLL_MS, signal);
    }
  }
}

function handleOf(
  options: LiveKitServerOptions,
  files: Files,
  access: Access,
  folder: string,
  first: Child,
): LiveKitServer {
  let child = first;
  const stop = () => child.stop(STOP_GRACE_MS);
  return {
    ...access,
    logFile: files.logFile,
    get pid() {
      return child.pid;
    },
    kill: () => child.kill(),
    stop,
    async start() {
      child = await startOnce(options, files, access);
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
