/**
 * A LiveKit server and a launcher on the emulator of ECS, for tests. The emulator puts tasks on the
 * Docker engine's default bridge, and by this machine's address there they reach server and gateway.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerInfo } from 'dockerode';
import type { Env } from '../../launcher/dev/command.ts';
import { startedBy } from '../../launcher/drivers/ecs/request.ts';
import type { Cleanup } from './cleanup.ts';
import { hostOnBridge } from './docker-bed.ts';
import { uniqueName } from './docker-engine.ts';
import { type EcsCluster, ecsCluster, SECURITY_GROUPS, SUBNETS } from './ecs-cluster.ts';
import {
  type Bed,
  freeLauncherPorts,
  roomClient,
  startTestLauncher,
  webhookUrlOf,
} from './launcher.ts';
import { startTestServer } from './livekit-server.ts';
import { EMULATOR_CREDENTIALS, EMULATOR_REGION, type Ministack } from './ministack.ts';

export interface EmulatorBedOptions {
  /** What the task definition runs. */
  readonly image: string;
  /** Is that our runner? Only a profile can say so. */
  readonly runner?: true;
  readonly env?: Env;
}

export interface EmulatorBed extends Bed {
  readonly cluster: EcsCluster;
  readonly deployment: string;
}

export async function startEmulatorBed(
  cleanup: Cleanup,
  emulator: Ministack,
  { image, runner, env = {} }: EmulatorBedOptions,
): Promise<EmulatorBed> {
  const cluster = cleanup.use(await ecsCluster(emulator));
  const template = await cluster.register(image);
  const host = await hostOnBridge();
  const ports = await freeLauncherPorts();
  const webhookUrls = [webhookUrlOf(ports)];
  const bindAddresses = ['127.0.0.1', host];
  const server = cleanup.use(await startTestServer({ webhookUrls, bindAddresses, nodeIp: host }));
  const deployment = uniqueName('bed');
  const launcher = cleanup.use(
    await startTestLauncher({
      server,
      ports,
      deployment,
      env: {
        ...ecsEnv(emulator, cluster),
        ...(runner
          ? await runnerProfile(cleanup, template)
          : { LAUNCHER_ECS_TASK_DEFINITION: template }),
        LAUNCHER_GATEWAY_LISTEN: `${host}:${ports.gateway}`,
        LAUNCHER_GATEWAY_URL: `ws://${host}:${ports.gateway}`,
        LAUNCHER_TASK_LIVEKIT_URL: server.url.replace('127.0.0.1', host),
        ...env,
      },
    }),
  );
  return { server, rooms: roomClient(server), launcher, cluster, deployment };
}

async function runnerProfile(cleanup: Cleanup, template: string): Promise<Env> {
  const folder = await mkdtemp(join(tmpdir(), 'emulator-bed-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'launcher.yaml');
  const profile = { name: 'default', taskDefinition: template, runner: true };
  await writeFile(file, JSON.stringify({ profiles: [profile] }));
  return { LAUNCHER_CONFIG: file };
}

/** A launcher's settings for this cluster, and what AWS's clients read. */
export function ecsEnv({ url }: Ministack, cluster: EcsCluster): Env {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: EMULATOR_REGION,
    AWS_ACCESS_KEY_ID: EMULATOR_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMULATOR_CREDENTIALS.secretAccessKey,
    LAUNCHER_DRIVER: 'ecs',
    LAUNCHER_ECS_CLUSTER: cluster.name,
    LAUNCHER_ECS_SUBNETS: SUBNETS.join(),
    LAUNCHER_ECS_SECURITY_GROUPS: SECURITY_GROUPS.join(),
  };
}

/** The containers of the bed that run. */
export async function runningIn({ cluster }: EmulatorBed): Promise<ContainerInfo[]> {
  return (await cluster.containers()).filter(({ State }) => State === 'running');
}

/** The container of a live task. */
export async function containerOf(
  { cluster, deployment }: EmulatorBed,
  key: string,
): Promise<string> {
  const [task] = await cluster.liveTasks(startedBy(deployment, key));
  if (task === undefined) throw new Error(`no live task of ${key}`);
  return cluster.containerOf(task);
}
