/**
 * An engine in memory and its driver, for tests and for the simulation.
 *
 * A task's life is a set of moments in the engine's time; its phase at any moment follows from
 * them. So nothing runs in the background, time is whatever the caller's clock says, and a list
 * that lags is simply a look at an earlier moment. Faults are switches on the engine.
 */
import {
  type Driver,
  DriverError,
  engineName,
  isTaskKey,
  type LaunchRequest,
  type LaunchResult,
  type ObservedTask,
  type Phase,
  type TaskId,
} from '../driver.ts';
import { assert } from '../lib/assert.ts';

const EXIT_SIGTERM = 143;
const EXIT_SIGKILL = 137;
const GRACE_MAX_MS = 24 * 3_600_000;

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
}

/** Outlives the drivers that look at it, as a real engine outlives launchers. */
export class MemoryEngine {
  readonly nowMs: () => number;
  readonly startDelayMs: number;
  readonly listLagMs: number;
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
  #lastId = 0;

  constructor(options: MemoryEngineOptions) {
    this.nowMs = options.nowMs;
    this.startDelayMs = options.startDelayMs ?? 0;
    this.listLagMs = options.listLagMs ?? 0;
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
    };
    this.tasks.set(task.id, task);
    this.changed();
    return task;
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

  changed(): void {
    for (const nudge of this.watchers) nudge();
  }

  #end(task: MemoryTask, atMs: number, code: number | null): void {
    task.endsAtMs = atMs;
    task.exitCode = code;
    this.changed();
  }
}

export function memoryDriver(
  engine: MemoryEngine,
  options: { readonly deployment: string },
): Driver {
  const { deployment } = options;
  const mine = (id: TaskId) => {
    const task = engine.tasks.get(id);
    return task?.deployment === deployment ? task : undefined;
  };
  return {
    traits: {
      name: 'memory',
      listLagMs: engine.listLagMs,
      keyLifetimeMs: Infinity,
      endedRetentionMs: Infinity,
      removes: true,
      grace: { maxMs: GRACE_MAX_MS },
    },
    async launch(request, signal) {
      assert(isTaskKey(request.key), `"${String(request.key)}" is no task key`);
      try {
        await reached(engine, signal);
      } catch {
        return { outcome: 'unknown', detail: 'no answer' };
      }
      return launch(engine, deployment, request);
    },
    async list(signal) {
      await reached(engine, signal);
      const atMs = engine.nowMs() - engine.listLagMs;
      return [...engine.tasks.values()]
        .filter((task) => task.deployment === deployment && task.createdAtMs <= atMs)
        .map((task) => observed(task, atMs));
    },
    async stop(taskId, { graceMs }, signal) {
      await reached(engine, signal);
      const task = mine(taskId);
      if (task === undefined || task.endsAtMs <= engine.nowMs()) return 'nothing-to-stop';
      engine.stop(task, Math.max(0, Math.min(graceMs, GRACE_MAX_MS)));
      return 'accepted';
    },
    async remove(taskId, signal) {
      await reached(engine, signal);
      const task = mine(taskId);
      if (task === undefined) return;
      if (task.endsAtMs > engine.nowMs()) throw new DriverError('conflict', `${taskId} is live`);
      engine.tasks.delete(taskId);
    },
    watch(nudge) {
      engine.watchers.add(nudge);
      return {
        async [Symbol.asyncDispose]() {
          engine.watchers.delete(nudge);
        },
      };
    },
    async [Symbol.asyncDispose]() {
      // Nothing is held: tasks go on in the engine.
    },
  };
}

function launch(engine: MemoryEngine, deployment: string, request: LaunchRequest): LaunchResult {
  const known = [...engine.tasks.values()].find(
    (task) => task.deployment === deployment && task.key === request.key,
  );
  if (known === undefined) {
    if (engine.refusal !== null) return engine.refusal;
    if (engine.taken.has(engineName(deployment, request.key))) {
      const detail = 'the name is taken';
      return { outcome: 'refused', reason: 'invalid', retry: 'next-key', detail };
    }
  }
  const task = known ?? engine.create(deployment, request.key, request);
  if (!task.begun && task.endsAtMs > engine.nowMs()) engine.begin(task);
  if (engine.loseAnswers > 0) {
    engine.loseAnswers -= 1;
    return { outcome: 'unknown', detail: 'the answer was lost' };
  }
  return { outcome: 'accepted', task: observed(task, engine.nowMs()) };
}

/** Resolves when the engine answers; rejects when it is down or the caller gave up. */
async function reached(engine: MemoryEngine, signal: AbortSignal): Promise<void> {
  if (engine.hanging && !signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  if (signal.aborted) throw new DriverError('unavailable', 'aborted', { cause: signal.reason });
  if (engine.down) throw new DriverError('unavailable', 'the engine is down');
}

function observed(task: MemoryTask, atMs: number): ObservedTask {
  const phase = phaseOf(task, atMs);
  return {
    taskId: task.id,
    key: isTaskKey(task.key) ? task.key : null,
    phase,
    template: task.template,
    runner: true,
    createdAtMs: task.createdAtMs,
    ...(task.startsAtMs <= Math.min(atMs, task.endsAtMs) ? { startedAtMs: task.startsAtMs } : {}),
    ...(phase === 'ended'
      ? {
          endedAtMs: task.endsAtMs,
          exit: { code: task.exitCode, oomKilled: task.oomKilled, detail: '' },
        }
      : {}),
  };
}

function phaseOf(task: MemoryTask, atMs: number): Phase {
  if (task.odd) return 'running';
  if (task.endsAtMs <= atMs) return 'ended';
  if (task.stoppingAtMs <= atMs) return 'stopping';
  return task.startsAtMs <= atMs ? 'running' : 'starting';
}
