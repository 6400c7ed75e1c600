/**
 * `list` on ECS. ListTasks takes the `startedBy` filter alone, and then shows running tasks only: so
 * all tasks of the cluster are listed, running and stopped, and ours are told by `startedBy`.
 *
 * Running ones are listed first: a task that ends in between is then in both lists, not in neither.
 */
import { setMaxListeners } from 'node:events';
import type { Task } from '@aws-sdk/client-ecs';
import { DriverError, type ObservedTask } from '../../driver.ts';
import { type Ecs, TASKS_PER_CALL } from './calls.ts';
import { isOfDeployment, isStopped, taskOf } from './convert.ts';

/** DescribeTasks calls under way at once for one list. */
const CALLS_AT_ONCE_MAX = 8;
/** Of a task that ECS does not know: forgotten since it was listed, or not yet shown everywhere. */
const MISSING = 'MISSING';

export class Lister {
  readonly #ecs: Ecs;
  readonly #deployment: string;
  /**
   * What the newest list saw as STOPPED, by ARN; null: not ours. Nothing of such a task changes any
   * more, and there may be many times as many of them as run: they are described once.
   */
  #stopped: ReadonlyMap<string, ObservedTask | null> = new Map();

  constructor(ecs: Ecs, deployment: string) {
    this.#ecs = ecs;
    this.#deployment = deployment;
  }

  /** All of it, or a rejection. */
  async list(signal: AbortSignal): Promise<readonly ObservedTask[]> {
    const running = await this.#ecs.taskArns('RUNNING', signal);
    const stopped = await this.#ecs.taskArns('STOPPED', signal);
    const known = this.#stopped;
    const listed = new Set([...running, ...stopped]);
    const fresh = [...listed].filter((arn) => !known.has(arn));
    const seen = await describeAll(this.#ecs, fresh, signal);
    const tasks = [...listed].flatMap((arn) => known.get(arn) ?? []);
    const kept = new Map([...known].filter(([arn]) => listed.has(arn)));
    for (const task of seen) {
      const ours = isOfDeployment(task, this.#deployment) ? taskOf(task, this.#deployment) : null;
      if (ours !== null) tasks.push(ours);
      if (isStopped(task) && task.taskArn !== undefined) kept.set(task.taskArn, ours);
    }
    this.#stopped = kept;
    return tasks;
  }
}

async function describeAll(
  ecs: Ecs,
  arns: readonly string[],
  signal: AbortSignal,
): Promise<readonly Task[]> {
  // Each request listens to it, which Node would take for a leak.
  const each = AbortSignal.any([signal]);
  setMaxListeners(2 * CALLS_AT_ONCE_MAX, each);
  const calls = chunks(arns, TASKS_PER_CALL);
  const tasks: Task[] = [];
  for (const some of chunks(calls, CALLS_AT_ONCE_MAX)) {
    const answers = await Promise.all(some.map((call) => describe(ecs, call, each)));
    tasks.push(...answers.flat());
  }
  return tasks;
}

/** One that is missing is left out: within the list's lag that proves nothing, after it, its end. */
async function describe(
  ecs: Ecs,
  arns: readonly string[],
  signal: AbortSignal,
): Promise<readonly Task[]> {
  const { tasks, failures } = await ecs.describe(arns, signal);
  const other = failures.find(({ reason }) => reason !== MISSING);
  if (other !== undefined || tasks.length + failures.length < arns.length) {
    const why = other ? `${other.arn}: ${other.reason}` : 'it leaves some out without a word';
    throw new DriverError('unavailable', `ECS does not describe all tasks that it lists: ${why}`);
  }
  return tasks;
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  );
}
