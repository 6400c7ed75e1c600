/** Places the tasks of one RunTask request, as far as quota and capacity go. */
import { createHash } from 'node:crypto';
import type { Cluster, Failure, RunTaskRequest, Task, TaskDefinition } from '@aws-sdk/client-ecs';
import type { EcsAccount } from './account.ts';
import { providerOf, VCPU_QUOTA } from './capacity.ts';
import { startPlan } from './lifecycle.ts';
import { FakeTask } from './task.ts';
import type { RunResult } from './tokens.ts';

const CPU_UNITS_PER_VCPU = 1024;

export function launch(
  account: EcsAccount,
  input: RunTaskRequest,
  cluster: Cluster,
  definition: TaskDefinition,
): RunResult {
  const { count = 1 } = input;
  const tasks: FakeTask[] = [];
  const failures: Failure[] = [];
  for (let n = 0; n < count; n += 1) {
    const placed = placeOne(account, input, cluster, definition, n);
    if ('reason' in placed) failures.push(placed);
    else tasks.push(placed);
  }
  return { tasks, failures };
}

/** Lets a task go on from PROVISIONING; one that is to stop by now does not come back. */
export function release(account: EcsAccount, task: FakeTask): void {
  const { desiredStatus, lastStatus } = task.stateAt(account.nowMs);
  if (desiredStatus === 'STOPPED' || lastStatus !== 'PROVISIONING') return;
  task.plan(account.nowMs, startPlan(account.nowMs, account.timings));
}

function placeOne(
  account: EcsAccount,
  input: RunTaskRequest,
  cluster: Cluster,
  definition: TaskDefinition,
  n: number,
): FakeTask | { reason: string } {
  const provider = providerOf(strategyOf(input, cluster), n);
  const fargate = isFargate(input, cluster);
  const cpu = Number(input.overrides?.cpu ?? definition.cpu ?? 0) / CPU_UNITS_PER_VCPU;
  if (fargate && vcpusInUse(account) + cpu > account.capacity.vcpuQuota) {
    return { reason: VCPU_QUOTA };
  }
  const subnets = input.networkConfiguration?.awsvpcConfiguration?.subnets ?? [];
  const place = account.capacity.place(provider, subnets);
  if ('reason' in place) return place;
  const id = idOf(account, `task ${account.launched}`);
  account.launched += 1;
  const task = new FakeTask(
    {
      id,
      arn: account.taskArn(cluster.clusterName!, id),
      clusterArn: cluster.clusterArn!,
      definition,
      createdAtMs: account.nowMs,
      availabilityZone: `${account.region}${'abcdef'[subnets.indexOf(place.subnet ?? '')] ?? 'a'}`,
      group: input.group ?? `family:${definition.family}`,
      overrides: input.overrides ?? { containerOverrides: [] },
      ...(place.subnet !== undefined && { subnet: place.subnet }),
      ...(input.startedBy !== undefined && { startedBy: input.startedBy }),
      ...(provider !== undefined && { capacityProvider: provider }),
      launchType: launchTypeOf(input, cluster),
      ...(account.guardDuty && { guardDutyContainer: `aws-guardduty-agent-${id.slice(0, 7)}` }),
    },
    input.tags ?? [],
  );
  account.tasks.set(task.arn, task);
  if (!account.holdStarts) release(account, task);
  return task;
}

/** What Fargate itself allows of launches; a repeat of a known request launches nothing. */
export function takeFargateTokens(
  account: EcsAccount,
  input: RunTaskRequest,
  cluster: Cluster,
): void {
  const { count = 1 } = input;
  if (!isFargate(input, cluster)) return;
  const spot = providerOf(strategyOf(input, cluster), 0) === 'FARGATE_SPOT';
  account.buckets.take('fargateRunTask', account.nowMs);
  account.buckets.take(spot ? 'fargateSpot' : 'fargate', account.nowMs, count);
}

/** "If no capacityProviderStrategy or launchType is specified, the default of the cluster is used." */
function strategyOf(input: RunTaskRequest, cluster: Cluster) {
  if (input.launchType !== undefined) return [];
  return input.capacityProviderStrategy ?? cluster.defaultCapacityProviderStrategy ?? [];
}

function launchTypeOf(input: RunTaskRequest, cluster: Cluster): NonNullable<Task['launchType']> {
  if (input.launchType !== undefined) return input.launchType;
  return strategyOf(input, cluster)[0]?.capacityProvider?.startsWith('FARGATE') ? 'FARGATE' : 'EC2';
}

function isFargate(input: RunTaskRequest, cluster: Cluster): boolean {
  return launchTypeOf(input, cluster) === 'FARGATE';
}

function vcpusInUse(account: EcsAccount): number {
  return [...account.tasks.values()]
    .filter(({ facts }) => facts.launchType === 'FARGATE')
    .filter((task) => task.stateAt(account.nowMs).lastStatus !== 'STOPPED')
    .map(({ facts }) => Number(facts.overrides.cpu ?? facts.definition.cpu ?? 0))
    .reduce((sum, cpu) => sum + cpu / CPU_UNITS_PER_VCPU, 0);
}

/** 32 hexadecimal digits, as ids of tasks are. */
function idOf(account: EcsAccount, name: string): string {
  return createHash('sha256').update(`${account.seed} ${name}`).digest('hex').slice(0, 32);
}
