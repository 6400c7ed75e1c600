/**
 * What every way of serving rooms stands on: a LiveKit server of its own, children whose logs are
 * kept, and the undoing of it all, also when the benchmark is interrupted.
 */
import { mkdtempSync, openSync, closeSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import Docker from 'dockerode';
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk';
import { gatewayOf } from '../../dist/launcher/dev/docker-engine.js';
import { findLiveKitServer } from '../../dist/launcher/dev/livekit-binary.js';
import { startLiveKitServer } from '../../dist/launcher/dev/livekit-server.js';
import { freeTcpPorts } from '../../dist/launcher/dev/ports.js';
import { startChild } from '../../dist/launcher/dev/process.js';
import { agentLook } from './look.mjs';
import { descendants } from './processes.mjs';
import { until } from './wait.mjs';

const LOG_TAIL_LINES = 15;
const STOP_GRACE_MS = 10_000;
/** Nobody has to be in a room for it to live as long as it is measured. */
const EMPTY_TIMEOUT_SECONDS = 600;

export const docker = new Docker();

/** What was started, and how it is undone: newest first. */
export class Bed {
  /** Where logs and state go; it goes too. */
  folder = mkdtempSync(join(tmpdir(), 'room-launcher-bench-'));
  #steps = [() => rmSync(this.folder, { recursive: true, force: true })];
  #over = false;

  /** Once all was undone, a step that comes late is done at once. */
  async defer(step) {
    if (this.#over) return step();
    this.#steps.push(step);
  }

  /** Undoes everything; a step that fails is told, and the others are done. */
  async end() {
    this.#over = true;
    for (const step of this.#steps.splice(0).toReversed()) {
      await Promise.resolve()
        .then(step)
        .catch((error) => console.error(`not undone: ${error.message}`));
    }
  }
}

/** This machine as containers on a bridge see it. Rejects without a Docker engine. */
export async function bridgeAddress() {
  return gatewayOf((await docker.getNetwork('bridge').inspect()).IPAM.Config);
}

/**
 * A LiveKit server that media flows to by `address` (default: loopback), with what its users need:
 * the variables of workers and launchers, its API, and tokens for callers.
 */
export async function livekit(bed, address) {
  const [webhookPort] = await freeTcpPorts(1);
  const server = await startLiveKitServer({
    bin: await findLiveKitServer({ env: process.env, progress: console.error }),
    env: process.env,
    webhookUrls: [`http://127.0.0.1:${webhookPort}/webhook`],
    roomConfig: {
      emptyTimeoutSeconds: EMPTY_TIMEOUT_SECONDS,
      departureTimeoutSeconds: EMPTY_TIMEOUT_SECONDS,
    },
    ...(address && { bindAddresses: ['127.0.0.1', address], nodeIp: address }),
  });
  await bed.defer(() => server[Symbol.asyncDispose]());
  const { url, apiKey } = server;
  const secret = server.apiSecret.reveal();
  return {
    url,
    webhookPort,
    env: { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: secret },
    rooms: new RoomServiceClient(url.replace('ws', 'http'), apiKey, secret),
    hasAgent: agentLook({ url, apiKey, secret }),
    /** A token with which a caller joins one room. */
    async token(room) {
      const token = new AccessToken(apiKey, secret, { identity: 'caller' });
      token.addGrant({ roomJoin: true, room });
      return token.toJwt();
    },
  };
}

/**
 * Starts a child in a process group of its own, with no environment but this; its output goes to
 * a file. All of its processes end with the bed.
 */
export async function child(bed, name, file, args, env) {
  const { PATH, HOME } = process.env;
  const logFile = join(bed.folder, `${name}.log`);
  const fd = openSync(logFile, 'a', 0o600);
  const started = await startChild(file, args, {
    env: { PATH, HOME, NODE_ENV: 'production', ...env },
    stdio: ['ignore', fd, fd],
    cwd: bed.folder,
  });
  closeSync(fd);
  const log = () => readFileSync(logFile, 'utf8');
  const tail = () => log().trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  return {
    pid: started.pid,
    log,
    tail,
    /** Waits for what it is to become; rejects when it ends first. */
    async until(what, probe) {
      const became = () => started.hasEnded() || probe();
      await until(what, became);
      if (started.hasEnded()) throw new Error(`${what}: it has ended:\n${tail()}`);
    },
    /** In order. */
    stop: () => started.stop(STOP_GRACE_MS),
    /** At once, with all that it has started. */
    async kill() {
      const all = descendants(started.pid);
      await started.kill();
      for (const pid of all) endProcess(pid);
    },
  };
}

function endProcess(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // it ended by itself
  }
}
