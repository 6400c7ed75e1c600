/**
 * The demo's tasks as containers, on an engine whose bridge is an address of this machine: there the
 * demo's LiveKit server and gateway listen. Docker Desktop, rootless engines and those of other
 * machines have their bridge elsewhere, where nothing of this machine can listen.
 */
import { isIPv4 } from 'node:net';
import Docker from 'dockerode';
import { connectionOf, addressText } from '../drivers/docker/connection.ts';
import { driverErrorOf, statusOf } from '../drivers/docker/errors.ts';
import { LABELS } from '../drivers/docker/labels.ts';
import { reasonOf } from '../lib/log.ts';
import type { Env } from './command.ts';
import type { DemoEngine, DemoNetwork, EnginePlace, Unusable } from './engine.ts';
import { canListen } from './ports.ts';

const LOOPBACK = '127.0.0.1';
const PROBE_TIMEOUT_MS = 5_000;
const CALL_TIMEOUT_MS = 30_000;
/** Looks at what is left: a launch may still come through whose launcher is gone. */
const CLEAR_LOOKS_MAX = 5;

const NETWORKS = {
  own: { text: 'containers on a bridge network', settings: {} },
  host: { text: 'containers on the host network', settings: { LAUNCHER_DOCKER_NETWORK: 'host' } },
} as const;

/** Asks the engine that the `docker` command's variables name. */
export async function dockerEngine(
  network: DemoNetwork,
  image: string,
  { env, deployment }: EnginePlace,
): Promise<DemoEngine | Unusable> {
  try {
    const connection = connectionOf(engineAddress(env));
    const probe = new Docker({ ...connection, timeout: PROBE_TIMEOUT_MS });
    const bridge = await bridgeAddress(probe).catch((error: unknown) => {
      throw driverErrorOf(error, addressText(connection));
    });
    if (bridge === null || !(await canListen(bridge))) {
      return {
        whyNot: 'the Docker engine is not on this machine itself, its bridge network is elsewhere',
      };
    }
    if (!(await hasImage(probe, image))) {
      return { whyNot: `the Docker engine has no image ${image}: build or pull it first` };
    }
    const docker = new Docker({ ...connection, timeout: CALL_TIMEOUT_MS });
    const { text, settings } = NETWORKS[network];
    return {
      text,
      hostAddress: network === 'host' ? LOOPBACK : bridge,
      settings: { LAUNCHER_DRIVER: 'docker', LAUNCHER_AGENT_IMAGE: image, ...settings },
      logHint: `docker logs ${deployment}.<task>`,
      taskLog: (key) => taskLog(docker, deployment, key).catch(() => ''),
      clear: () => clear(docker, deployment),
    };
  } catch (error) {
    return { whyNot: reasonOf(error) };
  }
}

function engineAddress(env: Env) {
  const { DOCKER_HOST: host, DOCKER_CERT_PATH: certPath, DOCKER_TLS_VERIFY: tls } = env;
  return { ...(host && { host }), ...(certPath && { certPath }), ...(tls && { tls: true }) };
}

/**
 * The engine's own address on the default bridge, by which containers on any bridge call it; null
 * without an IPv4 one. Engine 20.10 may name the subnet alone: its own is the first address there.
 */
async function bridgeAddress(docker: Docker): Promise<string | null> {
  const { IPAM } = await docker.getNetwork('bridge').inspect();
  return gatewayOf(IPAM?.Config ?? []);
}

/** The gateway of a bridge network by the engine's words about it. Pure. */
export function gatewayOf(
  config: readonly {
    readonly Gateway?: string | undefined;
    readonly Subnet?: string | undefined;
  }[],
): string | null {
  for (const { Gateway = '', Subnet = '' } of config) {
    if (isIPv4(Gateway)) return Gateway;
    const [network = ''] = Subnet.split('/');
    if (isIPv4(network)) return network.replace(/\d+$/, (last) => String(Number(last) + 1));
  }
  return null;
}

async function hasImage(docker: Docker, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

function labelled(deployment: string, ...labels: readonly string[]) {
  return { label: [`${LABELS.deployment}=${deployment}`, ...labels] };
}

async function taskLog(docker: Docker, deployment: string, key: string): Promise<string> {
  const filters = labelled(deployment, `${LABELS.key}=${key}`);
  const [found] = await docker.listContainers({ all: true, filters });
  if (!found) return '';
  return textOf(await docker.getContainer(found.Id).logs({ stdout: true, stderr: true }));
}

/** The text in an engine's log frames: stream (1 byte), three zeros, length (4 bytes), text. */
export function textOf(frames: Buffer): string {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= frames.length;) {
    const end = at + 8 + frames.readUInt32BE(at + 4);
    parts.push(frames.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts).toString('utf8');
}

async function clear(docker: Docker, deployment: string): Promise<void> {
  const filters = labelled(deployment);
  for (let looks = 0; looks < CLEAR_LOOKS_MAX; looks++) {
    const left = await docker.listContainers({ all: true, filters });
    if (left.length === 0) break;
    const removals = left.map(({ Id }) =>
      docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreGone),
    );
    await Promise.all(removals);
  }
  for (const { Id } of await docker.listNetworks({ filters })) {
    await docker.getNetwork(Id).remove().catch(ignoreGone);
  }
}

/** 404: gone; 409: the engine is removing it already. */
function ignoreGone(error: unknown): void {
  const status = statusOf(error);
  if (status !== 404 && status !== 409) throw error;
}
