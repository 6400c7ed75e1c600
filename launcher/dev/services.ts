/** Everything that the demo runs on: an engine, a LiveKit server and a launcher. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RoomServiceClient } from 'livekit-server-sdk';
import type { Clock } from '../lib/clock.ts';
import type { Env } from './command.ts';
import { type DemoEngine, type EngineChoice, openEngine } from './engine.ts';
import { type RunningLauncher, startLauncher } from './launcher.ts';
import { findLiveKitServer } from './livekit-binary.ts';
import { type LiveKitServer, startLiveKitServer } from './livekit-server.ts';
import { freeTcpPorts } from './ports.ts';

export interface Services {
  readonly engine: DemoEngine;
  readonly server: LiveKitServer;
  readonly launcher: RunningLauncher;
  readonly rooms: RoomServiceClient;
  /** LIVEKIT_URL, _API_KEY and _API_SECRET as a file, for `--stay`. */
  readonly secretFile: string;
}

/** Fills up as parts start; `end` undoes it in reverse, however far it came. */
export interface Started {
  readonly undo: (() => Promise<unknown>)[];
}

export interface ServicesOptions {
  readonly env: Env;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly wanted: EngineChoice & { readonly standby: number };
  readonly progress: (line: string) => void;
  /** Gets what the user has to know. */
  readonly warn: (line: string) => void;
}

const LOOPBACK = '127.0.0.1';
/** Long enough that no room of the demo ends by itself, short enough after the last one left. */
const ROOM = { emptyTimeoutSeconds: 300, departureTimeoutSeconds: 20 };

/** Starts all parts; each registers in `started` how it is undone before the next one starts. */
export async function startServices(options: ServicesOptions, started: Started): Promise<Services> {
  const { env, clock, signal, progress, wanted, warn } = options;
  const folder = await mkdtemp(join(tmpdir(), 'room-launcher-'));
  started.undo.push(() => rm(folder, { recursive: true, force: true }));
  const deployment = `demo-${randomBytes(4).toString('hex')}`;
  const engine = await openEngine(wanted, { env, deployment, folder }, warn);
  const bridge = engine.hostAddress === LOOPBACK ? null : engine.hostAddress;
  const bin = await findLiveKitServer({ env, progress, signal });

  const [webhook = 0, gateway = 0, admin = 0] = await freeTcpPorts(3);
  progress('starting livekit-server');
  const server = await startLiveKitServer({
    bin,
    env,
    signal,
    webhookUrls: [`http://127.0.0.1:${webhook}/webhook`],
    roomConfig: ROOM,
    ...(bridge && { bindAddresses: [LOOPBACK, bridge], nodeIp: bridge }),
    logFile: join(folder, 'livekit-server.log'),
  });
  started.undo.push(() => server[Symbol.asyncDispose]());
  const { url, apiKey, apiSecret } = server;
  const rooms = new RoomServiceClient(url.replace('ws', 'http'), apiKey, apiSecret.reveal());
  const secretFile = join(folder, 'livekit.env');
  const variables = { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey };
  const lines = Object.entries({ ...variables, LIVEKIT_API_SECRET: apiSecret.reveal() });
  const text = lines.map(([name, value]) => `${name}=${value}\n`).join('');
  await writeFile(secretFile, text, { mode: 0o600 });

  progress('starting the launcher');
  started.undo.push(() => engine.clear());
  const ports = { webhook, gateway, admin };
  const { standby } = wanted;
  const parts = { env, server, engine, ports, deployment, standby, folder, clock, signal };
  const launcher = await startLauncher(parts);
  started.undo.push(() => endLauncher(launcher, rooms));
  return { engine, server, launcher, rooms, secretFile };
}

/** Undoes what was started, the newest first; one failure does not keep the rest from going. */
export async function end(started: Started): Promise<void> {
  const failures: unknown[] = [];
  for (const undo of started.undo.toReversed()) await undo().catch((error) => failures.push(error));
  started.undo.length = 0;
  if (failures.length > 0) throw new AggregateError(failures, 'not everything could be ended');
}

/** Rooms first, so that nothing new is launched; then their tasks; then the launcher. */
async function endLauncher(launcher: RunningLauncher, rooms: RoomServiceClient): Promise<void> {
  const open = await rooms.listRooms().catch(() => []);
  await Promise.allSettled(open.map(({ name }) => rooms.deleteRoom(name)));
  await launcher.stopTasks();
  await launcher.stop();
}
