/**
 * The fake as tests hold it: an account, the faults on the way to it, and what callers did. The tests'
 * side of a task's life is here too: they finish it, break it, or take its host away.
 */
import type {
  RegisterTaskDefinitionRequest,
  RunTaskRequest,
  Task,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import { type AccountOptions, EcsAccount } from './account.ts';
import type { Action, ActionInput } from './actions.ts';
import type { ClusterOptions } from './catalogue.ts';
import { taskDefinitionNotFound } from './errors.ts';
import { Faults } from './faults.ts';
import { launch, release } from './launch.ts';
import { FakeQueue } from './queue.ts';
import type { FakeTask, TaskState } from './task.ts';

type StopCode = NonNullable<Task['stopCode']>;

export interface Call {
  readonly action: Action;
  readonly input: ActionInput;
  readonly atMs: number;
}

/** Any will do: signatures are not checked. */
export const CREDENTIALS = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'fake' };

export class FakeEcs {
  readonly account: EcsAccount;
  readonly faults = new Faults();
  /** By the path of their URLs. */
  readonly queues = new Map<string, FakeQueue>();
  /** Calls that reached the service, faulty ones too if it acted. */
  readonly calls: Call[] = [];
  /** Limits that the caller broke, each `<action>: <message>`. */
  readonly violations: string[] = [];

  constructor(options: AccountOptions) {
    this.account = new EcsAccount(options);
  }

  get capacity() {
    return this.account.capacity;
  }

  /** A queue that gets the events of all tasks from now on. */
  addQueue(name = 'ecs-events'): FakeQueue {
    const queue = new FakeQueue(this.account, name);
    this.queues.set(queue.path, queue);
    return queue;
  }

  addCluster(name: string, options?: ClusterOptions) {
    return this.account.catalogue.addCluster(name, options);
  }

  /** A new revision of a task definition. */
  register(request: RegisterTaskDefinitionRequest): TaskDefinition {
    return this.account.catalogue.register(request);
  }

  /** Runs tasks as somebody else: past limits, rates, client tokens and faults. */
  plant(input: RunTaskRequest): Task[] {
    const cluster = this.account.catalogue.cluster(input.cluster);
    const definition = this.account.catalogue.findDefinition(input.taskDefinition ?? '');
    if (!definition) throw taskDefinitionNotFound();
    const { tasks } = launch(this.account, input, cluster, definition);
    return tasks.map((task) => this.#view(task));
  }

  /** All tasks as they are now, without lag. */
  tasks(): Task[] {
    this.account.settle();
    return [...this.account.tasks.values()].map((task) => this.#view(task));
  }

  task(taskArn: string): Task {
    return this.#view(this.#find(taskArn));
  }

  /** Goes on with the start of a held task. */
  release(taskArn: string): void {
    release(this.account, this.#find(taskArn));
  }

  /** The program, which has to run, exits by itself. */
  finish(taskArn: string, exitCode: number, containerReason?: string): void {
    const { containerStatus } = this.#find(taskArn).stateAt(this.account.nowMs);
    if (containerStatus === 'PENDING') throw new Error(`nothing runs yet in ${taskArn}`);
    const end = { exitCode, ...(containerReason !== undefined && { containerReason }) };
    this.account.end(this.#find(taskArn), end, {
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
    });
  }

  outOfMemory(taskArn: string): void {
    this.finish(taskArn, 137, 'OutOfMemoryError: Container killed due to memory usage');
  }

  /** The task ends before its containers run; they have no exit code. */
  failToStart(taskArn: string, stoppedReason: string): void {
    const end = { containerReason: stoppedReason };
    this.account.end(this.#find(taskArn), end, { stopCode: 'TaskFailedToStart', stoppedReason });
  }

  /** Fargate takes a Spot task back: SIGTERM, and SIGKILL after its stop timeout. */
  interruptSpot(taskArn: string): void {
    this.account.stop(this.#find(taskArn), {
      stopCode: 'SpotInterruption',
      stoppedReason: 'Your Spot Task was interrupted.',
    });
  }

  /** The host is gone at once, and the exit code with it. The words are documented, the code is not. */
  loseHost(taskArn: string): void {
    this.account.end(
      this.#find(taskArn),
      {},
      { stopCode: 'TerminationNotice', stoppedReason: 'Host EC2 (instance i-0fa4e0) terminated.' },
    );
  }

  /** Somebody else stops the task: a person with StopTask, or a service's scheduler. */
  stop(taskArn: string, stoppedReason: string, stopCode: StopCode = 'UserInitiated'): void {
    this.account.stop(this.#find(taskArn), { stopCode, stoppedReason, tags: [] });
  }

  /** Makes up one change, such as a `lastStatus` that nobody knows; the task's plan goes on. */
  change(taskArn: string, change: Partial<TaskState>): void {
    this.#find(taskArn).change(this.account.nowMs, change);
    this.account.settle();
  }

  #find(taskArn: string): FakeTask {
    const task = this.account.tasks.get(taskArn);
    if (!task) throw new Error(`the fake has no task ${taskArn}`);
    return task;
  }

  #view(task: FakeTask): Task {
    return task.view(task.versionAt(this.account.nowMs), true);
  }
}
