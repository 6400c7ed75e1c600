/** The settings of the ECS driver, and what does not go together in them. */
import type { EcsEngineConfig } from './engine.ts';
import type { Reader } from './reader.ts';
import { SETTINGS } from './settings.ts';

/** Every setting that means something to this driver alone. */
export const ECS_SETTINGS = [
  SETTINGS.ecsCluster,
  SETTINGS.ecsTaskDefinition,
  SETTINGS.ecsSubnets,
  SETTINGS.ecsSecurityGroups,
  SETTINGS.ecsAssignPublicIp,
  SETTINGS.ecsCapacityProviders,
  SETTINGS.ecsRunner,
  SETTINGS.ecsEventsQueueUrl,
] as const;

/** The engine; what is missing is among the errors of `read`. */
export function readEcs(read: Reader): EcsEngineConfig {
  const cluster = read.required(SETTINGS.ecsCluster) ?? '';
  const subnets = read.required(SETTINGS.ecsSubnets) ?? [''];
  return {
    driver: 'ecs',
    cluster,
    network: {
      subnets,
      securityGroups: read.optional(SETTINGS.ecsSecurityGroups) ?? [],
      assignPublicIp: read.orDefault(SETTINGS.ecsAssignPublicIp),
      capacityProviders: read.optional(SETTINGS.ecsCapacityProviders) ?? [],
    },
    eventsQueueUrl: read.optional(SETTINGS.ecsEventsQueueUrl) ?? null,
  };
}

/** Do all tasks of such an engine run on Fargate, which takes certain sizes alone? */
export function isFargateAlone({ network }: EcsEngineConfig): boolean {
  return network.capacityProviders.every((name) => name === 'FARGATE' || name === 'FARGATE_SPOT');
}

const GIB = 1_024;
/** By cores: least and most memory in MiB, and the steps between them, as Fargate has them. */
const FARGATE_SIZES: ReadonlyMap<number, readonly [number, number, number]> = new Map([
  [0.5, [1 * GIB, 4 * GIB, GIB]],
  [1, [2 * GIB, 8 * GIB, GIB]],
  [2, [4 * GIB, 16 * GIB, GIB]],
  [4, [8 * GIB, 30 * GIB, GIB]],
  [8, [16 * GIB, 60 * GIB, 4 * GIB]],
  [16, [32 * GIB, 120 * GIB, 8 * GIB]],
]);
/** The one size whose steps are not even. */
const FARGATE_SMALLEST = { cpu: 0.25, memoryMiB: [GIB / 2, GIB, 2 * GIB] } as const;

/** What Fargate takes instead of a size that it does not take; null for one that it does. */
export function fargateAdvice(cpu: number, memoryMiB: number): string | null {
  if (cpu === FARGATE_SMALLEST.cpu) {
    const allowed: readonly number[] = FARGATE_SMALLEST.memoryMiB;
    return allowed.includes(memoryMiB) ? null : `cpu ${cpu} with ${allowed.join(', ')} MiB`;
  }
  const [least, most, step] = FARGATE_SIZES.get(cpu) ?? [];
  if (least === undefined || most === undefined || step === undefined) {
    return `a cpu of ${[FARGATE_SMALLEST.cpu, ...FARGATE_SIZES.keys()].join(', ')}`;
  }
  const fits = memoryMiB >= least && memoryMiB <= most && memoryMiB % step === 0;
  return fits ? null : `cpu ${cpu} with ${least} to ${most} MiB in steps of ${step}`;
}
