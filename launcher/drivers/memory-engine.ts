/**
 * An engine in memory, for tests and for the simulation; `memory.ts` is its driver.
 *
 * A task's life is a set of moments in the engine's time; its phase at any moment follows from
 * them. So nothing runs in the background, time is whatever the caller's clock says, and a list
 * that lags is simply a look at an earlier moment. Faults are switches on the engine.
 */
import type { LaunchRequest, LaunchResult, TaskId } from '../driver.ts';
import { assert } from '../lib/assert.ts';

const EXIT_SIGTERM = 143;
const EXIT_SIGKILL = 137;

export interface MemoryTask {
  readonly id: TaskId;
  readonly deployment: string;
  /** A task key, or anything else for a damaged one. */
  readonly key: string;
  readonly template: string;
  readonly env: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  /** False: created and, as after a crash, never started. */
  begun: boolean;
  startsAtMs: number;
  stoppingAtMs: number;
  endsAtMs: number;
  exitCode: number | null;
  oomKilled: boolean;
  /** A state that no driver knows. */
  odd: boolean;
  /** Does it run our runner? Null: the engine cannot tell. */
  runner: boolean | null;
  /** Lines that its program wrote. */
  readonly output: string[];
}

export interface SigtermAnswer {
  readonly afterMs: number;
  readonly code: number;
}

export interface MemoryEngineOptions {
  readonly nowMs: () => number;
  /** From `launch` to running. */
  readonly startDelayMs?: number;
  /** How far `list` lags behind. */
  readonly listLagMs?: number;
  /** After this long the engine forgets an ended task by itself; `remove` frees nothing then. */
  readonly endedRetentionMs?: number;
  /** How far the engine's clock, as its tasks' times show it, is ahead of the callers'. */
  readonly aheadMs?: () => number;
}

/** Outlives the drivers that look at it, as a real engine outlives launchers. */
export class MemoryEngine {
  readonly nowMs: () => number;
  readonly startDelayMs: number;
  readonly listLagMs: number;
  readonly endedRetentionMs: number;
  readonly aheadMs: () => number;
  readonly tasks = new Map<TaskId, MemoryTask>();
  readonly watchers = new Set<() => void>();
  /** Engine names (`<deployment>.<key>`) that something else holds. */
  readonly taken = new Set<string>();
  /** No call gets through. */
  down = false;
  /** Calls get no answer until they are aborted. */
  hanging = false;
  /** So many launches are carried out without an answer. */
  loseAnswers = 0;
  /** What every new launch is refused with. */
  refusal: Extract<LaunchResult, { outcome: 'refused' }> | null = null;
  /** How a task answers SIGTERM; an answer later than the grace becomes a SIGKILL. */
  onSigterm = (_key: string): SigtermAnswer => ({ afterMs: 0, code: EXIT_SIGTERM });
  /** By engine name, in the order of their creation. */
  readonly #named = new Map<string, TaskId[]>();
  #lastId = 0;

  constructor(options: MemoryEngineOptions) {
    this.nowMs = options.nowMs;
    this.startDelayMs = options.startDelayMs ?? 0;
    this.listLagMs = options.listLagMs ?? 0;
    this.endedRetentionMs = options.endedRetentionMs ?? Infinity;
    this.aheadMs = options.aheadMs ?? (() => 0);
  }

  create(deployment: string, key: string, request: Pick<LaunchRequest, 'template' | 'env'>) {
    const task: MemoryTask = {
      id: `task-${(this.#lastId += 1)}` as TaskId,
      deployment,
      key,
      template: request.template,
      env: request.env,
      createdAtMs: this.nowMs(),
      begun: false,
      startsAtMs: Infinity,
      stoppingAtMs: Infinity,
      endsAtMs: Infinity,
      exitCode: null,
      oomKilled: false,
      odd: false,
      runner: true,
      output: [],
    };
    this.tasks.set(task.id, task);
    const name = `${deployment}.${key}`;
    this.#named.set(name, [...this.#ids(name), task.id]);
    this.changed();
    return task;
  }

  /** The first task of this name that there is. */
  named(deployment: string, key: string): MemoryTask | undefined {
    const [first] = this.#ids(`${deployment}.${key}`);
    return first === undefined ? undefined : this.tasks.get(first);
  }

  begin(task: MemoryTask): void {
    task.begun = true;
    task.startsAtMs = this.nowMs() + this.startDelayMs;
    this.changed();
  }

  /** The task ends now, by itself; null: the engine loses its code. */
  finish(id: TaskId, code: number | null): void {
    const task = this.tasks.get(id);
    assert(task !== undefined, `the engine has no task ${id}`);
    this.#end(task, this.nowMs(), code);
  }

  /** The task's program writes a line. */
  write(id: TaskId, line: string): void {
    const task = this.tasks.get(id);
    assert(task !== undefined, `the engine has no task ${id}`);
    task.output.push(`${line}\n`);
    this.changed();
  }

  stop(task: MemoryTask, graceMs: number): void {
    const nowMs = this.nowMs();
    const repeated = task.stoppingAtMs <= nowMs;
    const { afterMs, code } = this.onSigterm(task.key);
    if (!repeated) {
      task.stoppingAtMs = nowMs;
      if (graceMs > 0) this.#end(task, nowMs + afterMs, code);
    }
    if (nowMs + graceMs < task.endsAtMs) this.#end(task, nowMs + graceMs, EXIT_SIGKILL);
  }

  /** Forgets what ended too long ago. */
  forget(): void {
    if (this.endedRetentionMs === Infinity) return;
    const sinceMs = this.nowMs() - this.endedRetentionMs;
    for (const task of this.tasks.values()) if (task.endsAtMs < sinceMs) this.remove(task);
  }

  remove({ id, deployment, key }: MemoryTask): void {
    this.tasks.delete(id);
    const name = `${deployment}.${key}`;
    if (this.#ids(name).length === 0) this.#named.delete(name);
  }

  changed(): void {
    for (const nudge of this.watchers) nudge();
  }

  /** Of those that there are still. */
  #ids(name: string): TaskId[] {
    return (this.#named.get(name) ?? []).filter((id) => this.tasks.has(id));
  }

  #end(task: MemoryTask, atMs: number, code: number | null): void {
    task.endsAtMs = atMs;
    task.exitCode = code;
    this.changed();
  }
}
