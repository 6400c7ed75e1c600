/**
 * One account in one Region: what it has set up, its limits, its tasks, and what happens to them.
 *
 * Plain and synchronous; it knows nothing of HTTP, and `actions.ts` is its API. Time is the clock's;
 * nothing happens between two calls but what the tasks' plans say.
 */
import type { Clock } from '../../../launcher/lib/clock.ts';
import { AWS_RATES, Buckets, type Rates } from './buckets.ts';
import { Capacity } from './capacity.ts';
import { Catalogue } from './catalogue.ts';
import {
  type ContainerEnd,
  exitPlan,
  FARGATE_TIMINGS,
  type SigtermAnswer,
  stopPlan,
  type Timings,
  type Why,
} from './lifecycle.ts';
import { Permissions } from './permissions.ts';
import type { FakeTask } from './task.ts';
import { ClientTokens } from './tokens.ts';

export interface AccountOptions {
  readonly clock: Clock;
  readonly region?: string;
  readonly accountId?: string;
  readonly timings?: Partial<Timings>;
  readonly rates?: Partial<Rates>;
  /** How far answers of ListTasks and DescribeTasks lag behind. */
  readonly listLagMs?: number;
  /** How long a stopped task is remembered: "at least one hour". */
  readonly stoppedRetentionMs?: number;
  /** GuardDuty's Runtime Monitoring adds a sidecar to every task. */
  readonly guardDuty?: boolean;
  /** Makes the ids of tasks: the same seed, the same ids. */
  readonly seed?: string;
}

export type Watcher = (task: FakeTask, version: number) => void;

const STOPPED_RETENTION_MS = 3_600_000;

export class EcsAccount {
  readonly clock: Clock;
  readonly region: string;
  readonly accountId: string;
  readonly timings: Timings;
  readonly guardDuty: boolean;
  readonly seed: string;
  readonly catalogue: Catalogue;
  readonly buckets: Buckets;
  readonly capacity = new Capacity();
  readonly permissions: Permissions;
  readonly tokens = new ClientTokens();
  readonly tasks = new Map<string, FakeTask>();
  /** Told of each change of a task, once, when its time has come and somebody looks. */
  readonly watchers = new Set<Watcher>();
  listLagMs: number;
  /** New tasks stay PROVISIONING until they are released. */
  holdStarts = false;
  /** Tasks ever placed. */
  launched = 0;
  /** What a task's program does with SIGTERM. */
  onSigterm: (task: FakeTask) => SigtermAnswer = () => ({ afterMs: 0, exitCode: 143 });
  readonly #stoppedRetentionMs: number;
  /** How many changes of a task the watchers were told of. */
  readonly #told = new Map<FakeTask, number>();

  constructor(options: AccountOptions) {
    this.clock = options.clock;
    this.region = options.region ?? 'us-east-1';
    this.accountId = options.accountId ?? '111122223333';
    this.timings = { ...FARGATE_TIMINGS, ...options.timings };
    this.guardDuty = options.guardDuty ?? false;
    this.seed = options.seed ?? 'ecs';
    this.listLagMs = options.listLagMs ?? 0;
    this.#stoppedRetentionMs = options.stoppedRetentionMs ?? STOPPED_RETENTION_MS;
    this.buckets = new Buckets({ ...AWS_RATES, ...options.rates }, this.nowMs);
    this.catalogue = new Catalogue(this.arnPrefix);
    this.permissions = new Permissions(this.accountId);
  }

  get nowMs(): number {
    return this.clock.nowMs();
  }

  get arnPrefix(): string {
    return `arn:aws:ecs:${this.region}:${this.accountId}`;
  }

  /** A task's ARN; `task` may be the ARN itself. */
  taskArn(clusterName: string, task: string): string {
    return task.startsWith('arn:') ? task : `${this.arnPrefix}:task/${clusterName}/${task}`;
  }

  /** Stops a task from outside, whoever does it; one that ends already is left alone. */
  stop(task: FakeTask, why: Why): void {
    const { nowMs, timings } = this;
    const { desiredStatus, containerStatus } = task.stateAt(nowMs);
    if (desiredStatus === 'STOPPED') return;
    const moments =
      containerStatus === 'RUNNING'
        ? stopPlan(task, nowMs, timings, why, this.onSigterm(task))
        : exitPlan(nowMs, timings, {}, why);
    task.plan(nowMs, moments);
    this.settle();
  }

  /** The task's containers end now; `why` counts unless the task was being stopped already. */
  end(task: FakeTask, end: ContainerEnd, why: Why): void {
    const { nowMs, timings } = this;
    const { desiredStatus, containerStatus } = task.stateAt(nowMs);
    if (containerStatus === 'STOPPED') return;
    const first = desiredStatus === 'RUNNING' ? why : undefined;
    task.plan(nowMs, exitPlan(nowMs, timings, end, first));
    this.settle();
  }

  /** Tells the watchers what became true, and forgets what stopped too long ago. */
  settle(): void {
    const { nowMs } = this;
    const due: { task: FakeTask; version: number; atMs: number }[] = [];
    for (const task of this.tasks.values()) {
      const now = task.versionAt(nowMs);
      for (let version = (this.#told.get(task) ?? 0) + 1; version <= now; version += 1) {
        due.push({ task, version, atMs: task.momentOf(version).atMs });
      }
      this.#told.set(task, now);
      const { stoppedAtMs = Infinity } = task.stateAt(nowMs);
      if (nowMs >= stoppedAtMs + this.#stoppedRetentionMs) this.#forget(task);
    }
    for (const { task, version } of due.toSorted((a, b) => a.atMs - b.atMs)) {
      for (const watcher of this.watchers) watcher(task, version);
    }
  }

  /** When the next task changes by itself; Infinity if none will. */
  nextChangeAtMs(): number {
    const { nowMs } = this;
    return Math.min(...[...this.tasks.values()].map((task) => task.nextAtMs(nowMs)));
  }

  #forget(task: FakeTask): void {
    this.tasks.delete(task.arn);
    this.#told.delete(task);
  }
}
