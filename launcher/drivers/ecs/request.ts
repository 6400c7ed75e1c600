/**
 * What is asked of ECS for a launch. Pure, and the same bytes for one key: ECS compares a repeat with
 * the first request of its token.
 */
import type { RunTaskCommandInput, Tag } from '@aws-sdk/client-ecs';
import { engineName, type LaunchRequest, type TaskKey } from '../../driver.ts';
import { choiceOf, type Network } from './placement.ts';

/** The container that runs the agent: each task definition has one of this name. */
export const AGENT_CONTAINER = 'agent';
/** What ECS takes of overrides, in characters of their JSON. */
export const OVERRIDES_MAX = 8_192;
const CPU_UNITS_PER_CORE = 1_024;

export interface Place {
  readonly deployment: string;
  /** Name or ARN. */
  readonly cluster: string;
  readonly network: Network;
}

export function runTaskInput(place: Place, request: LaunchRequest): RunTaskCommandInput {
  const { deployment, cluster, network } = place;
  const { key, template, cpu, memoryMiB, env } = request;
  const { subnet, capacityProvider } = choiceOf(key, network);
  const { securityGroups, assignPublicIp } = network;
  return {
    cluster,
    taskDefinition: template,
    count: 1,
    clientToken: engineName(deployment, key),
    startedBy: startedBy(deployment, key),
    ...(capacityProvider === null
      ? { launchType: 'FARGATE' as const }
      : { capacityProviderStrategy: [{ capacityProvider, weight: 1 }] }),
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: [subnet],
        ...(securityGroups.length > 0 ? { securityGroups: [...securityGroups] } : {}),
        assignPublicIp: assignPublicIp ? 'ENABLED' : 'DISABLED',
      },
    },
    overrides: {
      cpu: String(Math.round(cpu * CPU_UNITS_PER_CORE)),
      memory: String(memoryMiB),
      containerOverrides: [
        {
          name: AGENT_CONTAINER,
          environment: Object.entries(env).map(([name, value]) => ({ name, value })),
        },
      ],
    },
    enableECSManagedTags: true,
    tags: tagsOf(deployment, key, request.profile),
  };
}

/** Whose a task is, and which: the one mark that lasts until ECS forgets the task. */
export function startedBy(deployment: string, key: string): string {
  return `${deployment}/${key}`;
}

export function overridesLength({ overrides }: RunTaskCommandInput): number {
  return JSON.stringify(overrides).length;
}

/** For people alone, with no room name in them: StopTask deletes a task's tags. */
function tagsOf(deployment: string, key: TaskKey, profile: string): Tag[] {
  const [, sid, attempt] = /^r-(.+)-([0-9]+)$/.exec(key) ?? [];
  const tags = { deployment, key, profile, ...(sid && attempt ? { room: sid, attempt } : {}) };
  return Object.entries(tags).map(([name, value]) => ({ key: `room-launcher.${name}`, value }));
}
