/**
 * One task. Its life is a list of moments, past and planned, and what it is at any time follows from
 * those up to then. So nothing runs in the background, hours pass at once, and a lagging answer is a
 * look at an earlier time.
 */
import type { Container, Tag, Task, TaskDefinition, TaskOverride } from '@aws-sdk/client-ecs';

/** What stays the same through a task's life. */
export interface TaskFacts {
  readonly id: string;
  readonly arn: string;
  readonly clusterArn: string;
  readonly definition: TaskDefinition;
  readonly createdAtMs: number;
  readonly launchType: NonNullable<Task['launchType']>;
  readonly capacityProvider?: string;
  readonly subnet?: string;
  readonly availabilityZone: string;
  readonly group: string;
  readonly startedBy?: string;
  readonly overrides: TaskOverride;
  /** GuardDuty's sidecar, which the account's Runtime Monitoring adds; no definition names it. */
  readonly guardDutyContainer?: string;
}

export interface TaskState {
  /** PROVISIONING to STOPPED, or what a test makes up. */
  readonly lastStatus: string;
  readonly desiredStatus: 'RUNNING' | 'STOPPED';
  readonly containerStatus: 'PENDING' | 'RUNNING' | 'STOPPED';
  readonly exitCode?: number;
  readonly containerReason?: string;
  readonly stopCode?: NonNullable<Task['stopCode']>;
  readonly stoppedReason?: string;
  readonly tags: readonly Tag[];
  readonly pullStartedAtMs?: number;
  readonly pullStoppedAtMs?: number;
  readonly startedAtMs?: number;
  readonly stoppingAtMs?: number;
  readonly executionStoppedAtMs?: number;
  readonly stoppedAtMs?: number;
}

export interface Moment {
  readonly atMs: number;
  readonly change: Partial<TaskState>;
}

export class FakeTask {
  readonly facts: TaskFacts;
  readonly #moments: Moment[];

  constructor(facts: TaskFacts, tags: readonly Tag[]) {
    this.facts = facts;
    const change: TaskState = {
      lastStatus: 'PROVISIONING',
      desiredStatus: 'RUNNING',
      containerStatus: 'PENDING',
      tags,
    };
    this.#moments = [{ atMs: facts.createdAtMs, change }];
  }

  get arn(): string {
    return this.facts.arn;
  }

  /** Replaces what was planned for after `nowMs`. `moments` are in order and not before it. */
  plan(nowMs: number, moments: readonly Moment[]): void {
    const past = this.#moments.filter(({ atMs }) => atMs <= nowMs);
    this.#moments.splice(0, Infinity, ...past, ...moments);
  }

  /** Adds one change now and leaves the plan as it is. */
  change(nowMs: number, change: Partial<TaskState>): void {
    this.#moments.splice(this.versionAt(nowMs), 0, { atMs: nowMs, change });
  }

  /** Rises by one with each change; 0 before the task exists. */
  versionAt(atMs: number): number {
    return this.#moments.filter((moment) => moment.atMs <= atMs).length;
  }

  stateAt(atMs: number): TaskState {
    return this.stateOf(this.versionAt(atMs));
  }

  stateOf(version: number): TaskState {
    const first = this.#moments[0]!.change as TaskState;
    return this.#moments
      .slice(1, version)
      .reduce<TaskState>((state, { change }) => ({ ...state, ...change }), first);
  }

  momentOf(version: number): Moment {
    return this.#moments[version - 1]!;
  }

  /** When the task next changes by itself; Infinity if nothing is planned. */
  nextAtMs(nowMs: number): number {
    return this.#moments[this.versionAt(nowMs)]?.atMs ?? Infinity;
  }

  /** The container that ends the task when it ends: the first essential one. */
  get mainContainer() {
    const containers = this.facts.definition.containerDefinitions ?? [];
    return containers.find(({ essential }) => essential !== false) ?? containers[0]!;
  }

  /** The task as the API shows it; tags only where they are asked for. */
  view(version: number, withTags: boolean): Task {
    const { facts } = this;
    const state = this.stateOf(version);
    const { definition } = facts;
    return {
      taskArn: facts.arn,
      clusterArn: facts.clusterArn,
      taskDefinitionArn: definition.taskDefinitionArn,
      availabilityZone: facts.availabilityZone,
      attachments: this.#attachments(),
      containers: this.#containers(state),
      cpu: facts.overrides.cpu ?? definition.cpu,
      memory: facts.overrides.memory ?? definition.memory,
      connectivity: state.containerStatus === 'PENDING' ? undefined : 'CONNECTED',
      createdAt: new Date(facts.createdAtMs),
      desiredStatus: state.desiredStatus,
      enableExecuteCommand: false,
      executionStoppedAt: date(state.executionStoppedAtMs),
      group: facts.group,
      healthStatus: 'UNKNOWN',
      lastStatus: state.lastStatus,
      launchType: facts.launchType,
      capacityProviderName: facts.capacityProvider,
      overrides: facts.overrides,
      platformFamily: facts.launchType === 'FARGATE' ? 'Linux' : undefined,
      platformVersion: facts.launchType === 'FARGATE' ? '1.4.0' : undefined,
      pullStartedAt: date(state.pullStartedAtMs),
      pullStoppedAt: date(state.pullStoppedAtMs),
      startedAt: date(state.startedAtMs),
      startedBy: facts.startedBy,
      stopCode: state.stopCode,
      stoppedAt: date(state.stoppedAtMs),
      stoppedReason: state.stoppedReason,
      stoppingAt: date(state.stoppingAtMs),
      tags: withTags ? [...state.tags] : [],
      version,
    };
  }

  /** GuardDuty's comes first, so that nobody gets away with reading `containers[0]`. */
  #containers(state: TaskState): Container[] {
    const { definition, guardDutyContainer, overrides } = this.facts;
    const main = this.mainContainer.name;
    const sidecar = guardDutyContainer === undefined ? [] : [{ name: guardDutyContainer }];
    return [...sidecar, ...(definition.containerDefinitions ?? [])].map((container) => {
      const isMain = container.name === main;
      const exit = isMain
        ? { exitCode: state.exitCode, reason: state.containerReason }
        : { exitCode: state.containerStatus === 'STOPPED' ? 0 : undefined };
      const override = overrides.containerOverrides?.find(({ name }) => name === container.name);
      return {
        containerArn: `${this.arn.replace(':task/', ':container/')}/${container.name}`,
        taskArn: this.arn,
        name: container.name,
        image: 'image' in container ? container.image : undefined,
        lastStatus: state.containerStatus,
        healthStatus: 'UNKNOWN',
        networkInterfaces: [],
        cpu: String(override?.cpu ?? 0),
        ...exit,
      };
    });
  }

  #attachments(): Task['attachments'] {
    const { id, subnet } = this.facts;
    if (subnet === undefined) return [];
    const details = [{ name: 'subnetId', value: subnet }];
    return [{ id: `eni-${id}`, type: 'ElasticNetworkInterface', status: 'ATTACHED', details }];
  }
}

function date(atMs: number | undefined): Date | undefined {
  return atMs === undefined ? undefined : new Date(atMs);
}
