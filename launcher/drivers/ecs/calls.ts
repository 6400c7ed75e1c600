/**
 * What ECS can be asked, one request each, each kind with a client and a budget of its own: a burst
 * of launches must not hold up a stop, nor a long list a launch.
 *
 * A request is bounded and sent once. Repeating is the planner's: it knows what a lost answer means,
 * and the library's own retries would pass the budgets by. Failures are the library's errors, told
 * apart in `errors.ts`.
 */
import {
  type Cluster,
  DescribeClustersCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  type DesiredStatus,
  ECSClient,
  type ECSClientConfig,
  type Failure,
  ListTasksCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
  type RunTaskCommandOutput,
  StopTaskCommand,
  type Task,
  type TaskDefinition,
} from '@aws-sdk/client-ecs';
import { DriverError } from '../../driver.ts';
import type { Clock } from '../../lib/clock.ts';
import { reasonOf } from '../../lib/log.ts';
import { driverErrorOf, throttledForMs } from './errors.ts';
import { type Budget, Pacer } from './pacer.ts';

/** The pace of launches. The reconciler asks for no more than so many within any second. */
export const LAUNCHES: Budget = { burst: 5, perSecond: 18 };

const CONNECT_TIMEOUT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 15_000;

/**
 * An account's rates in a region: RunTask on Fargate 20 per second, of which none are saved up; RunTask
 * and StopTask together a burst of 100 and 40 per second; Describe and List calls 100 and 20. Something
 * is left to others, such as a second launcher while one takes over from the other. Calls take their
 * time on the way: evenly spaced and slightly fewer ones get more launched than 20 per second. (AWS:
 * "Request throttling for the Amazon ECS API", "AWS Fargate throttling quotas")
 */
const BUDGETS = {
  launching: LAUNCHES,
  stopping: { burst: 30, perSecond: 15 },
  listing: { burst: 45, perSecond: 10 },
  /** Looks at single tasks, which must not wait for a list of thousands. */
  glancing: { burst: 10, perSecond: 3 },
} as const;

/** What DescribeTasks and ListTasks take and give at once. */
export const TASKS_PER_CALL = 100;
/** Longest list that is read: a token that never ends must not keep us. */
const PAGES_MAX = 1_000;

/** What the library's own chain (environment, files, roles) shall not decide. */
export type SdkOptions = Pick<
  ECSClientConfig,
  'credentials' | 'endpoint' | 'region' | 'requestHandler'
>;

export interface Described {
  readonly tasks: readonly Task[];
  readonly failures: readonly Failure[];
}

interface Line {
  readonly client: ECSClient;
  readonly pacer: Pacer;
}

interface SharedLook {
  readonly tasks: Set<string>;
  readonly seen: Promise<readonly Task[]>;
}

export class Ecs {
  readonly cluster: string;
  readonly region: string;
  readonly #launching: Line;
  readonly #stopping: Line;
  readonly #listing: Line;
  readonly #glancing: Line;
  /** The look that waits for its turn. */
  #nextLook: SharedLook | null = null;

  private constructor(cluster: string, region: string, clock: Clock, sdk: SdkOptions) {
    const line = (budget: Budget): Line => ({
      client: new ECSClient(clientConfig({ ...sdk, region })),
      pacer: new Pacer(clock, budget),
    });
    this.cluster = cluster;
    this.region = region;
    this.#launching = line(BUDGETS.launching);
    this.#stopping = line(BUDGETS.stopping);
    this.#listing = line(BUDGETS.listing);
    this.#glancing = line(BUDGETS.glancing);
  }

  /** Asks the service nothing yet. Rejects with `DriverError` `invalid` without a region. */
  static async open(cluster: string, clock: Clock, sdk: SdkOptions): Promise<Ecs> {
    return new Ecs(cluster, await regionOf(sdk), clock, sdk);
  }

  runTask(input: RunTaskCommandInput, signal: AbortSignal): Promise<RunTaskCommandOutput> {
    return paced(this.#launching, signal, (client, options) =>
      client.send(new RunTaskCommand(input), options),
    );
  }

  async stopTask(task: string, reason: string, signal: AbortSignal): Promise<void> {
    const { cluster } = this;
    await paced(this.#stopping, signal, (client, options) =>
      client.send(new StopTaskCommand({ cluster, task, reason }), options),
    );
  }

  /** ARNs of all tasks of the cluster that ECS wants in this state, others' too. */
  async taskArns(desiredStatus: DesiredStatus, signal: AbortSignal): Promise<readonly string[]> {
    const { cluster } = this;
    const arns: string[] = [];
    let nextToken: string | undefined;
    for (let pages = 0; pages < PAGES_MAX; pages += 1) {
      const input = { cluster, desiredStatus, maxResults: TASKS_PER_CALL, nextToken };
      const page = await paced(this.#listing, signal, (client, options) =>
        client.send(new ListTasksCommand(input), options),
      );
      if (page.taskArns === undefined) throw this.#unreadable('ListTasks');
      arns.push(...page.taskArns);
      nextToken = page.nextToken;
      if (!nextToken) return arns;
    }
    throw new DriverError('unavailable', `ECS lists more than ${PAGES_MAX} pages of tasks`);
  }

  /** Up to `TASKS_PER_CALL` tasks; one that ECS does not know is among the failures. */
  async describe(tasks: readonly string[], signal: AbortSignal): Promise<Described> {
    const input = { cluster: this.cluster, tasks: [...tasks] };
    const { tasks: seen, failures = [] } = await paced(this.#listing, signal, (client, options) =>
      client.send(new DescribeTasksCommand(input), options),
    );
    if (seen === undefined) throw this.#unreadable('DescribeTasks');
    return { tasks: seen, failures };
  }

  /**
   * One task, null when ECS does not show it. Those that are asked for while the request waits for
   * its turn share it: a thousand stops at once must not cost a thousand looks.
   */
  async describeOne(task: string): Promise<Task | null> {
    const look = (this.#nextLook ??= this.#look());
    look.tasks.add(task);
    if (look.tasks.size === TASKS_PER_CALL) this.#nextLook = null;
    const seen = await look.seen;
    return seen.find(({ taskArn }) => taskArn === task) ?? null;
  }

  /** Null when there is none of this name. */
  async describeCluster(signal: AbortSignal): Promise<Cluster | null> {
    const input = { clusters: [this.cluster] };
    const { clusters = [] } = await paced(this.#listing, signal, (client, options) =>
      client.send(new DescribeClustersCommand(input), options),
    );
    return clusters[0] ?? null;
  }

  async describeTaskDefinition(
    taskDefinition: string,
    signal: AbortSignal,
  ): Promise<TaskDefinition | null> {
    const seen = await paced(this.#listing, signal, (client, options) =>
      client.send(new DescribeTaskDefinitionCommand({ taskDefinition }), options),
    );
    return seen.taskDefinition ?? null;
  }

  /** Where calls go, and an error of one as the contract's. */
  errorOf(error: unknown): DriverError {
    return driverErrorOf(error, `ECS, cluster ${this.cluster} in ${this.region}`);
  }

  close(): void {
    const lines = [this.#launching, this.#stopping, this.#listing, this.#glancing];
    for (const { client } of lines) client.destroy();
  }

  /** A look at tasks that are named until it goes out; it outlives whoever gives up on it. */
  #look(): SharedLook {
    const tasks = new Set<string>();
    const never = new AbortController().signal;
    const seen = paced(this.#glancing, never, async (client, options) => {
      if (this.#nextLook?.tasks === tasks) this.#nextLook = null;
      const input = { cluster: this.cluster, tasks: [...tasks] };
      const answer = await client.send(new DescribeTasksCommand(input), options);
      return answer.tasks ?? [];
    });
    return { tasks, seen };
  }

  /** An answer of success without what it is for must not read as "none". */
  #unreadable(call: string): DriverError {
    return new DriverError('unavailable', `the answer of ECS to ${call} cannot be read`);
  }
}

async function regionOf(sdk: SdkOptions): Promise<string> {
  const probe = new ECSClient(sdk);
  try {
    return await probe.config.region();
  } catch (error) {
    const advice = 'set AWS_REGION to the one of the ECS cluster';
    const message = `no region of AWS can be told (${reasonOf(error)}): ${advice}`;
    throw new DriverError('invalid', message, { cause: error });
  } finally {
    probe.destroy();
  }
}

/** For clients of any service that the driver asks. `answerTimeoutMs`: also of a long poll. */
export function clientConfig(sdk: SdkOptions, answerTimeoutMs = ANSWER_TIMEOUT_MS) {
  return {
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: answerTimeoutMs,
      socketTimeout: answerTimeoutMs,
      // Without it the library only warns, and waits on.
      throwOnRequestTimeout: true,
    },
    ...sdk,
  };
}

async function paced<T>(
  { client, pacer }: Line,
  signal: AbortSignal,
  send: (client: ECSClient, options: { abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  await pacer.turn(signal);
  try {
    return await send(client, { abortSignal: signal });
  } catch (error) {
    const forMs = throttledForMs(error);
    if (forMs !== null) pacer.hold(forMs);
    throw error;
  }
}
