/**
 * A cluster of the emulator's with a name of its own: what an administrator makes there before a
 * launcher comes, and what tests do there behind the driver's back.
 */
import {
  CreateClusterCommand,
  ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
} from '@aws-sdk/client-ecs';
import type { ContainerInfo } from 'dockerode';
import { AGENT_CONTAINER } from '../../launcher/drivers/ecs/request.ts';
import { docker, uniqueName } from './docker-engine.ts';
import { EMULATOR_CREDENTIALS, EMULATOR_REGION, type Ministack } from './ministack.ts';
import { waitFor } from './wait.ts';

const ENDED_DEADLINE_MS = 30_000;
/** The emulator takes any. */
export const SUBNETS = ['subnet-a', 'subnet-b'] as const;
export const SECURITY_GROUPS = ['sg-agents'];

export interface EcsCluster extends AsyncDisposable {
  readonly name: string;
  /** Registers a task definition that runs this image, of a family of its own: `family:1`. */
  register(image: string, family?: string): Promise<string>;
  /** Starts a task as anybody may, and resolves with its ARN. */
  run(taskDefinition: string, startedBy: string): Promise<string>;
  /** ARNs of the live tasks that somebody started, or of all. */
  liveTasks(startedBy?: string): Promise<readonly string[]>;
  /** The cluster's containers, ended ones too. */
  containers(): Promise<ContainerInfo[]>;
  /** The id of a task's container; waits for it. */
  containerOf(taskArn: string): Promise<string>;
  /** Ends every task, and waits until the emulator knows. */
  [Symbol.asyncDispose](): Promise<void>;
}

export async function ecsCluster(emulator: Ministack): Promise<EcsCluster> {
  const name = uniqueName('cluster');
  const ecs = ecsClient(emulator.url);
  const made = await ecs.send(new CreateClusterCommand({ clusterName: name }));
  const label = `com.amazonaws.ecs.cluster=${made.cluster?.clusterArn}`;
  const ours = () => emulator.containers(label);
  const containerOf = (taskArn: string) => {
    const its = `com.amazonaws.ecs.task-arn=${taskArn}`;
    const look = async () => (await emulator.containers(its))[0]?.Id;
    return waitFor(`the container of ${taskArn}`, look);
  };
  const liveTasks = async (startedBy?: string) => {
    const input = { cluster: name, ...(startedBy === undefined ? {} : { startedBy }) };
    return (await ecs.send(new ListTasksCommand(input))).taskArns ?? [];
  };
  /** By its containers, as StopTask waits five seconds for each that ignores SIGTERM. */
  const allEnded = async () => {
    const live = (await ours()).filter(({ State }) => State === 'running');
    await Promise.all(live.map(({ Id }) => docker.getContainer(Id).kill().catch(ignoreEnded)));
    return (await liveTasks()).length === 0;
  };
  return {
    name,
    register: (image, family = uniqueName('agent')) => register(ecs, image, family),
    async run(taskDefinition, startedBy) {
      const input = { cluster: name, taskDefinition, startedBy, networkConfiguration };
      const { tasks = [] } = await ecs.send(new RunTaskCommand(input));
      return tasks[0]?.taskArn ?? '';
    },
    liveTasks,
    containers: ours,
    containerOf,
    async [Symbol.asyncDispose]() {
      await waitFor(`the end of all tasks in ${name}`, allEnded, ENDED_DEADLINE_MS);
      ecs.destroy();
    },
  };
}

const networkConfiguration = { awsvpcConfiguration: { subnets: [...SUBNETS] } };

function ecsClient(endpoint: string): ECSClient {
  const credentials = EMULATOR_CREDENTIALS;
  return new ECSClient({ endpoint, region: EMULATOR_REGION, credentials });
}

async function register(ecs: ECSClient, image: string, family: string): Promise<string> {
  await ecs.send(
    new RegisterTaskDefinitionCommand({
      family,
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: '1024',
      memory: '2048',
      containerDefinitions: [{ name: AGENT_CONTAINER, image, essential: true }],
    }),
  );
  return `${family}:1`;
}

/** 404: gone; 409: it has ended meanwhile. */
function ignoreEnded(error: unknown): void {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : null;
  if (status !== 404 && status !== 409) throw error;
}
