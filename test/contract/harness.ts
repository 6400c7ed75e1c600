/**
 * How the contract suite reaches around a driver, to the engine itself.
 *
 * A harness is all that a driver's own test file holds. What an engine cannot be made to do, its
 * harness says in words (`cannot`), and the suite prints it.
 */
import assert from 'node:assert/strict';
import {
  type Driver,
  DriverError,
  type LaunchRequest,
  type ObservedTask,
  type StopOptions,
  type TaskId,
  type TaskKey,
} from '../../launcher/driver.ts';

export type Deployment = 'ours' | 'theirs';

export interface RequestOptions {
  readonly deployment?: Deployment;
  /** The task exits with this code on SIGTERM, or ignores it; by default SIGTERM kills it. */
  readonly onSigterm?: number | 'ignore';
}

export interface Harness extends AsyncDisposable {
  /** A fresh launcher on the same engine: where it can be, a new process of the system. */
  driver(deployment?: Deployment): Promise<Driver>;
  /** A request that this engine accepts, for a task that runs until `finish` or a stop. */
  request(key: TaskKey, options?: RequestOptions): LaunchRequest;
  /** Lets a little of the engine's time pass. */
  pause(): Promise<void>;
  /** Pauses after which a state that was waited for is given up. */
  readonly pausesMax: number;
  /** Longest real time that "settles soon" may mean. */
  readonly soonMs: number;
  /** The engine's clock. */
  nowMs(): number;
  readonly abilities: Abilities;
  /** Checks that a stand-in for the engine fails by its own fault, by name, and what that is. */
  readonly unfaithful?: Readonly<Record<string, string>>;
}

/** What the suite makes an engine do, to see what the driver says of it. */
export interface AbilityCalls {
  /** The task's program exits with a code. */
  finish(task: ObservedTask, code: number): Promise<void>;
  /** The task's program writes a line to its standard output, or to its standard error. */
  write(task: ObservedTask, to: 'stdout' | 'stderr', line: string): Promise<void>;
  /** Somebody else kills the task with SIGKILL. */
  kill(task: ObservedTask): Promise<void>;
  /** The task ends and the engine loses its exit code. */
  lose(task: ObservedTask): Promise<void>;
  /** The task ends for want of memory. */
  exhaust(task: ObservedTask): Promise<void>;
  /** Leaves what a crash in the middle of a launch leaves: created, never started. */
  leaveHalfDone(key: TaskKey): Promise<void>;
  /** Something in the engine that is ours and whose key cannot be read. */
  plantDamaged(): Promise<void>;
  /** Something that is no task of ours takes the name of a key. */
  takeName(key: TaskKey): Promise<void>;
  /** A live task gets into a state that the driver does not know. */
  makeOdd(task: ObservedTask): Promise<void>;
  /** A request that the engine refuses for good. */
  refusedRequest(key: TaskKey): Promise<LaunchRequest>;
  /** A file of variables for the agent. */
  writeEnvFile(text: string): Promise<string>;
  /** What the task's program finds in its environment. */
  seenEnv(task: ObservedTask): Promise<Readonly<Record<string, string>>>;
  /** How often a program really was started for a key. */
  starts(key: TaskKey): Promise<number>;
  /** The engine answers nothing any more. */
  breakEngine(): Promise<void>;
  /** Calls that concern this task, and lists, are never answered. */
  hang(task: ObservedTask): Promise<void>;
  /** The next launch is carried out, and its answer is lost. */
  loseNextAnswer(): Promise<void>;
  /** Ends the launcher that holds this driver with SIGKILL. */
  killLauncher(driver: Driver): Promise<void>;
}
export type Ability = keyof AbilityCalls;
export interface Cannot {
  readonly cannot: string;
}
export type Abilities = { readonly [Name in Ability]: AbilityCalls[Name] | Cannot };

/** One clause of the contract, as a check that throws where a driver breaks it. */
export interface Check {
  readonly name: string;
  readonly needs: readonly Ability[];
  readonly run: (bench: Bench) => Promise<void>;
}

/** A check on the abilities it needs; the type of `can` holds exactly these. */
export function check<Needed extends Ability = never>(
  name: string,
  needs: readonly Needed[],
  run: (bench: Bench, can: Pick<AbilityCalls, Needed>) => Promise<void>,
): Check {
  return { name, needs, run: (bench) => run(bench, bench.able(needs)) };
}

/** Why a harness cannot run a check; empty when it can. */
export function obstacles(harness: Harness, { name, needs }: Check): readonly string[] {
  const fault = harness.unfaithful?.[name];
  const missing = needs.flatMap((need) => {
    const ability = harness.abilities[need];
    return 'cannot' in ability ? [ability.cannot] : [];
  });
  return fault === undefined ? missing : [fault, ...missing];
}

export const NOW: StopOptions = { graceMs: 0, reason: 'the contract suite' };

export function key(room: number, attempt = 1): TaskKey {
  return `r-RM_${room}-${attempt}` as TaskKey;
}

/** A signal that nobody aborts. */
export function calm(): AbortSignal {
  return new AbortController().signal;
}

/** What checks are written with. */
export class Bench {
  readonly harness: Harness;
  constructor(harness: Harness) {
    this.harness = harness;
  }

  able<Needed extends Ability>(needs: readonly Needed[]): Pick<AbilityCalls, Needed> {
    for (const name of needs) assert(!('cannot' in this.harness.abilities[name]), name);
    return this.harness.abilities as Pick<AbilityCalls, Needed>;
  }

  driver(deployment?: Deployment): Promise<Driver> {
    return this.harness.driver(deployment);
  }

  /** Launches by a fresh launcher, or by the one given, and insists on acceptance. */
  async accepted(request: LaunchRequest, by?: Driver): Promise<ObservedTask> {
    const result = await (by ?? (await this.driver())).launch(request, calm());
    assert.equal(result.outcome, 'accepted', `launch: ${JSON.stringify(result)}`);
    assert(result.outcome === 'accepted');
    return result.task;
  }

  /** A task that runs. */
  async running(taskKey: TaskKey, options: RequestOptions = {}): Promise<ObservedTask> {
    const driver = await this.driver(options.deployment);
    const { taskId } = await this.accepted(this.harness.request(taskKey, options), driver);
    return this.reaches(driver, taskId, 'running');
  }

  /** Waits for a task to be listed in a phase. */
  reaches(driver: Driver, taskId: TaskId, phase: ObservedTask['phase']): Promise<ObservedTask> {
    return this.until(`${taskId} is listed as ${phase}`, async () => {
      const task = (await driver.list(calm())).find((each) => each.taskId === taskId);
      return task?.phase === phase ? task : undefined;
    });
  }

  async ended(driver: Driver, taskId: TaskId): Promise<ObservedTask> {
    return this.reaches(driver, taskId, 'ended');
  }

  /** The tasks of a key, listed once every lag is over. */
  async tasksOf(driver: Driver, taskKey: TaskKey): Promise<readonly ObservedTask[]> {
    const sinceMs = this.harness.nowMs();
    while (this.harness.nowMs() - sinceMs <= driver.traits.listLagMs) await this.harness.pause();
    return (await driver.list(calm())).filter((task) => task.key === taskKey);
  }

  async until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    for (let pauses = 0; pauses < this.harness.pausesMax; pauses += 1) {
      const found = await look();
      if (found !== undefined) return found;
      await this.harness.pause();
    }
    throw new assert.AssertionError({ message: `gave up waiting: ${what}` });
  }

  /** Insists that a call which was aborted settles, in real time. */
  async soon<T>(what: string, call: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      const error = new assert.AssertionError({ message: `${what} does not settle` });
      timer = setTimeout(() => reject(error), this.harness.soonMs);
    });
    try {
      return await Promise.race([call, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

export async function rejectsWith(
  call: Promise<unknown>,
  ...kinds: readonly DriverError['kind'][]
): Promise<void> {
  await assert.rejects(call, (error) => {
    assert(error instanceof DriverError, `not a DriverError: ${String(error)}`);
    if (kinds.length > 0) assert(kinds.includes(error.kind), `kind ${error.kind}`);
    return true;
  });
}
