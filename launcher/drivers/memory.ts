/** The driver of the engine in memory, for tests and for the simulation. */
import {
  type Driver,
  DriverError,
  type DriverTraits,
  engineName,
  isTaskKey,
  type LaunchRequest,
  type LaunchResult,
  type LogsOptions,
  type ObservedTask,
  type Output,
  type Phase,
  type TaskId,
  type TaskUsage,
} from '../driver.ts';
import { assert } from '../lib/assert.ts';
import type { MemoryEngine, MemoryTask } from './memory-engine.ts';

export { MemoryEngine, type MemoryTask, type SigtermAnswer } from './memory-engine.ts';

const GRACE_MAX_MS = 24 * 3_600_000;
/** What each task is said to hold, beside a tenth of a core. */
const MEMORY_BYTES = 128 * 2 ** 20;

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
    traits: traitsOf(engine),
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
        .map((task) => observed(task, atMs, engine.aheadMs()));
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
      if (engine.endedRetentionMs === Infinity) engine.remove(task);
    },
    async usage(taskIds, signal) {
      await reached(engine, signal);
      return taskIds.flatMap((id) => used(engine, mine(id)));
    },
    async logs(taskId, how, signal) {
      await reached(engine, signal);
      const task = mine(taskId);
      return task === undefined ? null : outputOf(engine, task, how, signal);
    },
    watch: (nudge) => watching(engine, nudge),
    async [Symbol.asyncDispose]() {
      // Nothing is held: tasks go on in the engine.
    },
  };
}

async function* outputOf(
  engine: MemoryEngine,
  { id, output }: MemoryTask,
  { tail, follow }: LogsOptions,
  signal: AbortSignal,
): Output {
  let next = Math.max(output.length - tail, 0);
  while (!signal.aborted) {
    const news = changeOf(engine, signal);
    const { endsAtMs = 0 } = engine.tasks.get(id) ?? {};
    const ended = endsAtMs <= engine.nowMs();
    while (next < output.length) yield output[next++] ?? '';
    if (ended || !follow) return;
    await news;
  }
}

/** Resolves at the engine's next change, or when the caller gives up. */
function changeOf(engine: MemoryEngine, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      engine.watchers.delete(done);
      resolve();
    };
    engine.watchers.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function watching(engine: MemoryEngine, nudge: () => void): AsyncDisposable {
  engine.watchers.add(nudge);
  return {
    async [Symbol.asyncDispose]() {
      engine.watchers.delete(nudge);
    },
  };
}

/** Empty for what does not run. */
function used(engine: MemoryEngine, task: MemoryTask | undefined): readonly TaskUsage[] {
  const phase = task && phaseOf(task, engine.nowMs());
  if (!task || (phase !== 'running' && phase !== 'stopping')) return [];
  const cpuSeconds = (engine.nowMs() - task.startsAtMs) / 10_000;
  return [{ taskId: task.id, cpuSeconds, memoryBytes: MEMORY_BYTES }];
}

function traitsOf({ listLagMs, endedRetentionMs }: MemoryEngine): DriverTraits {
  return {
    name: 'memory',
    listLagMs,
    keyLifetimeMs: Infinity,
    endedRetentionMs,
    removes: endedRetentionMs === Infinity,
    grace: { maxMs: GRACE_MAX_MS },
    launches: { inFlight: Infinity, perSecond: Infinity },
  };
}

function launch(engine: MemoryEngine, deployment: string, request: LaunchRequest): LaunchResult {
  const known = engine.named(deployment, request.key);
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
  return { outcome: 'accepted', task: observed(task, engine.nowMs(), engine.aheadMs()) };
}

/** Resolves when the engine answers; rejects when it is down or the caller gave up. */
async function reached(engine: MemoryEngine, signal: AbortSignal): Promise<void> {
  if (engine.hanging && !signal.aborted) {
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
  if (signal.aborted) throw new DriverError('unavailable', 'aborted', { cause: signal.reason });
  if (engine.down) throw new DriverError('unavailable', 'the engine is down');
  engine.forget();
}

function observed(task: MemoryTask, atMs: number, aheadMs: number): ObservedTask {
  const phase = phaseOf(task, atMs);
  return {
    taskId: task.id,
    key: isTaskKey(task.key) ? task.key : null,
    phase,
    template: task.template,
    runner: task.runner,
    createdAtMs: task.createdAtMs + aheadMs,
    ...(task.startsAtMs <= Math.min(atMs, task.endsAtMs)
      ? { startedAtMs: task.startsAtMs + aheadMs }
      : {}),
    ...(phase === 'ended'
      ? {
          endedAtMs: task.endsAtMs + aheadMs,
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
