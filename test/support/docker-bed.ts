/**
 * A LiveKit server, a launcher on the Docker engine and its containers, for tests: reached from a
 * bridge network as users' containers reach it, gone afterwards with everything that bears the
 * deployment's label.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { ContainerInspectInfo } from 'dockerode';
import type { Env } from '../../launcher/dev/command.ts';
import type { Cleanup } from './cleanup.ts';
import { buildFrom, docker, ignoreMissing, removeDeployment, uniqueName } from './docker-engine.ts';
import { type EngineProxy, engineProxy } from './engine-proxy.ts';
import { type Bed, freeLauncherPorts, startBed } from './launcher.ts';
import { waitFor } from './wait.ts';

export const AGENT_IMAGE = 'room-launcher-agent:latest';

const { DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY } = process.env;

export interface DockerBedOptions {
  /** Default: our runner's with the example agent. */
  readonly image?: string;
  /** Default: the deployment's own bridge. */
  readonly network?: 'host';
  readonly env?: Env;
  /** Where LiveKit's webhooks go instead of straight to the launcher. */
  readonly webhookUrls?: readonly string[];
}

export interface DockerBed extends Bed {
  readonly deployment: string;
}

export async function startDockerBed(
  cleanup: Cleanup,
  { image = AGENT_IMAGE, network, env = {}, webhookUrls }: DockerBedOptions = {},
): Promise<DockerBed> {
  const deployment = uniqueName('bed');
  cleanup.defer(() => removeDeployment(deployment));
  const ports = await freeLauncherPorts();
  const onHost = network === 'host';
  const host = await hostOnBridge();
  const bed = await startBed(cleanup, {
    deployment,
    ports,
    livekit: {
      ...(onHost ? {} : { bindAddresses: ['127.0.0.1', host], nodeIp: host }),
      ...(webhookUrls && { webhookUrls }),
    },
    env: {
      ...dockerEnv(image),
      ...(onHost
        ? { LAUNCHER_DOCKER_NETWORK: 'host' }
        : { LAUNCHER_GATEWAY_LISTEN: `0.0.0.0:${ports.gateway}` }),
      ...env,
    },
  });
  return { ...bed, deployment };
}

/** A launcher's settings for this engine and this image. */
export function dockerEnv(image: string): Env {
  const engine = { DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY };
  return { ...engine, LAUNCHER_DRIVER: 'docker', LAUNCHER_AGENT_IMAGE: image };
}

/**
 * This machine's address on the engine's default bridge, by which all its bridges reach it. Engine
 * 20.10 may name the subnet alone: its own address is the first one there.
 */
export async function hostOnBridge(): Promise<string> {
  const { IPAM } = await docker.getNetwork('bridge').inspect();
  const config = IPAM?.Config?.[0];
  const address = config?.Gateway ?? config?.Subnet?.replace(/\d+\/\d+$/, '1');
  if (address === undefined) throw new Error('the default bridge network has no address');
  return address;
}

/** A proxy to the engine, with its address as the launcher's environment takes it. */
export async function startEngineProxy(
  cleanup: Cleanup,
): Promise<{ readonly proxy: EngineProxy; readonly env: Env }> {
  const folder = await mkdtemp(join(tmpdir(), 'engine-proxy-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const proxy = cleanup.use(await engineProxy(folder));
  return { proxy, env: { DOCKER_HOST: proxy.host } };
}

/** Everything that bears the deployment's label, as the engine shows it, oldest first. */
export async function containersOf({
  deployment,
}: Pick<DockerBed, 'deployment'>): Promise<ContainerInspectInfo[]> {
  const filters = { label: [`room-launcher.deployment=${deployment}`] };
  const rows = await docker.listContainers({ all: true, filters });
  const all = await Promise.all(rows.map(({ Id }) => docker.getContainer(Id).inspect()));
  return all.toSorted((a, b) => a.Created.localeCompare(b.Created));
}

/** A task's container by its name; rejects when there is none. */
export function containerOf(
  { deployment }: Pick<DockerBed, 'deployment'>,
  key: string,
): Promise<ContainerInspectInfo> {
  return docker.getContainer(`${deployment}.${key}`).inspect();
}

/** Names of the deployment's containers that run. */
export async function runningNames(bed: Pick<DockerBed, 'deployment'>): Promise<string[]> {
  const all = await containersOf(bed);
  return all.filter(({ State }) => State.Running).map(({ Name }) => Name.slice(1));
}

/** Our runner's image with another agent file; gone with `cleanup`. */
export function agentImage(cleanup: Cleanup, agent: string): Promise<string> {
  return derivedImage(cleanup, AGENT_IMAGE, { 'agent.mjs': agent }, ['CMD ["agent.mjs"]']);
}

/** An image with these files in its folder, and further lines of a Dockerfile; gone with `cleanup`. */
export async function derivedImage(
  cleanup: Cleanup,
  from: string,
  files: Readonly<Record<string, string>>,
  lines: readonly string[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'agent-image-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const name = `room-launcher-${uniqueName('agent')}:latest`;
  const names = Object.keys(files);
  const text = [`FROM ${from}`, ...names.map((file) => `COPY ${file} ./`), ...lines].join('\n');
  await writeFile(join(folder, 'Dockerfile'), `${text}\n`);
  for (const file of names) await writeFile(join(folder, file), files[file] ?? '');
  cleanup.defer(() => docker.getImage(name).remove({ force: true }).catch(ignoreMissing));
  await buildFrom(folder, ['Dockerfile', ...names], name);
  return name;
}

/** Waits for a room's run to have this state, and gives its row. */
export function roomIn({ launcher }: Pick<Bed, 'launcher'>, sid: string, state: string) {
  const look = async () => {
    const row = (await launcher.rooms()).find((room) => room.sid === sid);
    if (row?.state !== state) throw new Error(`it is ${row?.state}: ${row?.reason}`);
    return row;
  };
  return waitFor(`the room to be ${state}`, look, 30_000);
}
