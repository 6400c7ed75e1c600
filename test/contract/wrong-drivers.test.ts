/**
 * The suite on trial: drivers that each break one clause of the contract. Every one must be caught,
 * by the check that is named for it.
 */
import { describe, expect, it } from 'vitest';
import type {
  Driver,
  LaunchRequest,
  LaunchResult,
  ObservedTask,
  TaskId,
  TaskKey,
} from '../../launcher/driver.ts';
import { memoryDriver, type MemoryEngine } from '../../launcher/drivers/memory.ts';
import { memoryHarness } from '../support/memory-harness.ts';
import { checks, runCheck } from './driver.contract.ts';
import { calm, NOW, obstacles } from './harness.ts';

/** What a wrong driver does differently from the right one. */
type Fault = (right: Driver, engine: MemoryEngine, deployment: string) => Partial<Driver>;

interface WrongDriver {
  readonly does: string;
  readonly caughtBy: string;
  readonly fault: Fault;
}

const other = (deployment: string) => (deployment === 'ours' ? 'theirs' : 'ours');
const taskOf = (engine: MemoryEngine, taskId: TaskId) => engine.tasks.get(taskId);

/** A driver whose lists pass through a change. */
function relisting(change: (tasks: readonly ObservedTask[]) => readonly ObservedTask[]): Fault {
  return (right) => ({ list: async (signal) => change(await right.list(signal)) });
}

/** A driver whose launches' answers pass through a change. */
function answering(change: (result: LaunchResult) => LaunchResult): Fault {
  return (right) => ({
    launch: async (request, signal) => change(await right.launch(request, signal)),
  });
}

/** Launches without looking whether there is a task. */
function always(engine: MemoryEngine, deployment: string, request: LaunchRequest): LaunchResult {
  const task = engine.create(deployment, request.key, request);
  engine.begin(task);
  const { id: taskId, createdAtMs, template } = task;
  const { key } = request;
  const seen = { taskId, key, phase: 'starting', template, runner: true, createdAtMs } as const;
  return { outcome: 'accepted', task: seen };
}

const wrongDrivers: readonly WrongDriver[] = [
  {
    does: 'launches again at every call',
    caughtBy: 'a repeat by another launcher is accepted with the same task',
    fault: (_right, engine, deployment) => ({
      launch: async (request) => always(engine, deployment, request),
    }),
  },
  {
    does: 'remembers its keys itself, one process each',
    caughtBy: 'launches of one key at once, by several launchers, are one task',
    fault(right, engine, deployment) {
      const known = new Set<TaskKey>();
      return {
        async launch(request, signal) {
          if (known.has(request.key)) return right.launch(request, signal);
          known.add(request.key);
          return always(engine, deployment, request);
        },
      };
    },
  },
  {
    does: 'looks, waits, and then launches',
    caughtBy: 'launches of one key at once, by several launchers, are one task',
    fault: (right, engine, deployment) => ({
      async launch(request, signal) {
        const task = (await right.list(signal)).find(({ key }) => key === request.key);
        await Promise.resolve();
        return task ? { outcome: 'accepted', task } : always(engine, deployment, request);
      },
    }),
  },
  {
    does: 'takes only live tasks for a repeat',
    caughtBy: 'a repeat after the end is accepted with the ended task',
    fault: (right, engine, deployment) => ({
      async launch(request, signal) {
        const result = await right.launch(request, signal);
        const ended = result.outcome === 'accepted' && result.task.phase === 'ended';
        return ended ? always(engine, deployment, request) : result;
      },
    }),
  },
  {
    does: 'gives a repeat the template of the repeat',
    caughtBy: 'a repeat by another launcher is accepted with the same task',
    fault: (right, engine, deployment) => ({
      async launch(request, signal) {
        for (const [id, task] of engine.tasks) {
          if (task.key === request.key && task.deployment === deployment) {
            engine.tasks.set(id, { ...task, template: request.template });
          }
        }
        return right.launch(request, signal);
      },
    }),
  },
  {
    does: 'accepts any text as a key',
    caughtBy: 'a key that is none is a bug of the caller',
    fault: (_right, engine, deployment) => ({
      launch: async (request) => always(engine, deployment, request),
    }),
  },
  {
    does: 'accepts without asking for anything',
    caughtBy: 'an accepted task is listed under its key, id and template',
    fault: (right, engine) => ({
      async launch(request, signal) {
        const result = await right.launch(request, signal);
        engine.tasks.clear();
        return result;
      },
    }),
  },
  {
    does: 'leaves a created task unstarted',
    caughtBy: 'a task that was promised comes to run by itself',
    fault: (right, engine) => ({
      async launch(request, signal) {
        const result = await right.launch(request, signal);
        for (const task of engine.tasks.values()) {
          task.begun = false;
          task.startsAtMs = Infinity;
        }
        return result;
      },
    }),
  },
  {
    does: 'does not finish what is half done',
    caughtBy: 'a repeat starts what a crash left half done',
    fault: (right) => ({
      async launch(request, signal) {
        const task = (await right.list(signal)).find(({ key }) => key === request.key);
        return task ? { outcome: 'accepted', task } : right.launch(request, signal);
      },
    }),
  },
  {
    does: 'stops only what has started',
    caughtBy: 'what a crash left half done can be stopped',
    fault: (right, engine) => ({
      stop: async (taskId, options, signal) =>
        taskOf(engine, taskId)?.begun
          ? right.stop(taskId, options, signal)
          : ('nothing-to-stop' as const),
    }),
  },
  {
    does: 'uses an id twice',
    caughtBy: 'the promise ends with remove: the key then names a new task',
    fault(right) {
      const aliases = new Map<TaskId, TaskId>();
      const alias = (task: ObservedTask) => {
        const taskId = `id of ${task.key}` as TaskId;
        aliases.set(taskId, task.taskId);
        return { ...task, taskId };
      };
      const real = (taskId: TaskId) => aliases.get(taskId) ?? taskId;
      return {
        async launch(request, signal) {
          const result = await right.launch(request, signal);
          return result.outcome === 'accepted' ? { ...result, task: alias(result.task) } : result;
        },
        list: async (signal) => (await right.list(signal)).map(alias),
        stop: (taskId, options, signal) => right.stop(real(taskId), options, signal),
        remove: (taskId, signal) => right.remove(real(taskId), signal),
      };
    },
  },
  {
    does: 'calls a lost answer refused',
    caughtBy: 'a lost answer is unknown, and a repeat finds the one task',
    fault: answering((result) =>
      result.outcome === 'unknown'
        ? { outcome: 'refused', reason: 'throttled', retry: 'next-key', detail: 'no answer' }
        : result,
    ),
  },
  {
    does: 'rejects where a launch is unknown',
    caughtBy: 'an outage is unknown, as a value: there may be a task',
    fault: answering((result) => {
      if (result.outcome === 'unknown') throw new Error(result.detail);
      return result;
    }),
  },
  {
    does: 'rejects where a launch is refused',
    caughtBy: 'a refusal is a value, and leaves nothing behind',
    fault: answering((result) => {
      if (result.outcome === 'refused') throw new Error(result.detail);
      return result;
    }),
  },
  {
    does: 'takes a refusal for a lost answer',
    caughtBy: 'a refusal is a value, and leaves nothing behind',
    fault: answering((result) =>
      result.outcome === 'refused' ? { outcome: 'unknown', detail: result.detail } : result,
    ),
  },
  {
    does: 'adopts whatever has the name',
    caughtBy: 'a name that is taken by something not ours is refused, never adopted',
    fault: (right, engine) => ({
      launch(request, signal) {
        engine.taken.clear();
        return right.launch(request, signal);
      },
    }),
  },
  {
    does: 'gives tasks the environment of the launcher',
    caughtBy: 'a task sees what the request gives it, and nothing of the launcher',
    fault: (right) => ({
      launch: (request, signal) =>
        right.launch({ ...request, env: { ...request.env, ONLY_THE_LAUNCHER: 'secret' } }, signal),
    }),
  },
  {
    does: 'launches in spite of an abort',
    caughtBy: 'an aborted launch is unknown',
    fault: (right) => ({ launch: (request) => right.launch(request, calm()) }),
  },
  {
    does: 'ignores aborts of its other verbs',
    caughtBy: 'aborted calls reject',
    fault: (right) => ({
      list: () => right.list(calm()),
      stop: (taskId, options) => right.stop(taskId, options, calm()),
      remove: (taskId) => right.remove(taskId, calm()),
    }),
  },
  {
    does: 'looks at the abort only before it asks',
    caughtBy: 'every verb settles soon after an abort in mid-call',
    fault: (right) => ({
      launch: (request, signal) => right.launch(request, signal.aborted ? signal : calm()),
      list: (signal) => right.list(signal.aborted ? signal : calm()),
    }),
  },
  {
    does: 'lists nothing during an outage',
    caughtBy: 'an outage rejects: a list is never shortened',
    fault: (right) => ({ list: (signal) => right.list(signal).catch(() => []) }),
  },
  {
    does: 'stops nothing during an outage, and says so calmly',
    caughtBy: 'an outage rejects: a list is never shortened',
    fault: (right) => ({
      stop: (taskId, options, signal) =>
        right.stop(taskId, options, signal).catch(() => 'nothing-to-stop' as const),
    }),
  },
  {
    does: 'lists only its own launches',
    caughtBy: 'tasks of other launchers and ended ones are listed',
    fault(right) {
      const own = new Set<TaskKey>();
      return {
        launch(request, signal) {
          own.add(request.key);
          return right.launch(request, signal);
        },
        list: async (signal) =>
          (await right.list(signal)).filter(({ key }) => key === null || own.has(key)),
      };
    },
  },
  {
    does: 'leaves ended tasks out',
    caughtBy: 'an ended task stays listed until it is removed',
    fault: relisting((tasks) => tasks.filter(({ phase }) => phase !== 'ended')),
  },
  {
    does: 'leaves damaged tasks out',
    caughtBy: 'damaged tasks are listed with key null',
    fault: relisting((tasks) => tasks.filter(({ key }) => key !== null)),
  },
  {
    does: 'takes an unknown state for an end',
    caughtBy: 'a state that the driver does not know counts as running',
    fault: (right, engine) => ({
      list: async (signal) =>
        (await right.list(signal)).map((task) =>
          taskOf(engine, task.taskId)?.odd ? { ...task, phase: 'ended' } : task,
        ),
    }),
  },
  {
    does: 'shows a running task as starting again',
    caughtBy: 'phases only go forward, and only an ended task has an exit',
    fault(right) {
      const seen = new Set<TaskId>();
      return {
        list: async (signal) =>
          (await right.list(signal)).map((task) => {
            const back = task.phase === 'ended' && !seen.has(task.taskId);
            if (back) seen.add(task.taskId);
            return back ? { ...task, phase: 'starting' } : task;
          }),
      };
    },
  },
  {
    does: 'gives live tasks an exit',
    caughtBy: 'phases only go forward, and only an ended task has an exit',
    fault: relisting((tasks) =>
      tasks.map((task) => ({ exit: { code: 0, oomKilled: false, detail: '' }, ...task })),
    ),
  },
  {
    does: "lists another deployment's tasks",
    caughtBy: "another deployment's task is never listed, stopped or removed",
    fault: (right, engine, deployment) => ({
      list: async (signal) => [
        ...(await right.list(signal)),
        ...(await memoryDriver(engine, { deployment: other(deployment) }).list(signal)),
      ],
    }),
  },
  {
    does: "stops another deployment's tasks",
    caughtBy: "another deployment's task is never listed, stopped or removed",
    fault: (right, engine, deployment) => ({
      stop: (taskId, options, signal) =>
        taskOf(engine, taskId)?.deployment === deployment
          ? right.stop(taskId, options, signal)
          : memoryDriver(engine, { deployment: other(deployment) }).stop(taskId, options, signal),
    }),
  },
  {
    does: "removes another deployment's tasks",
    caughtBy: "another deployment's task is never listed, stopped or removed",
    fault: (right, engine, deployment) => ({
      remove: (taskId, signal) =>
        taskOf(engine, taskId)?.deployment === deployment
          ? right.remove(taskId, signal)
          : memoryDriver(engine, { deployment: other(deployment) }).remove(taskId, signal),
    }),
  },
  {
    does: 'shares keys between deployments',
    caughtBy: 'two deployments may use one key side by side',
    fault: (right, engine, deployment) => ({
      async launch(request, signal) {
        const theirs = memoryDriver(engine, { deployment: other(deployment) });
        const task = (await theirs.list(signal)).find(({ key }) => key === request.key);
        return task ? { outcome: 'accepted', task } : right.launch(request, signal);
      },
    }),
  },
  {
    does: 'ends its tasks when it closes',
    caughtBy: 'tasks go on when their launcher closes its driver',
    fault: (right) => ({
      async [Symbol.asyncDispose]() {
        for (const { taskId } of await right.list(calm())) await right.stop(taskId, NOW, calm());
      },
    }),
  },
  {
    does: 'hints on after its watch is closed',
    caughtBy: 'hints, where there are any, follow a change and cease after the watch',
    fault: (right) => ({
      watch(nudge) {
        right.watch?.(nudge);
        return { [Symbol.asyncDispose]: async () => {} };
      },
    }),
  },
  {
    does: 'gives no hint of an end',
    caughtBy: 'hints, where there are any, follow a change and cease after the watch',
    fault: (_right, engine) => ({
      watch(nudge) {
        const once = () => {
          if ([...engine.tasks.values()].every((task) => task.endsAtMs === Infinity)) nudge();
        };
        engine.watchers.add(once);
        return { [Symbol.asyncDispose]: async () => void engine.watchers.delete(once) };
      },
    }),
  },
  {
    does: 'plans for no time at all',
    caughtBy: 'the traits can be planned with',
    fault: (right) => ({ traits: { ...right.traits, grace: { maxMs: 0 } } }),
  },
  {
    does: 'says that it stopped what had ended',
    caughtBy: 'stop ends a live task; a repeat says that there is nothing to stop',
    fault: (right) => ({
      async stop(taskId, options, signal) {
        await right.stop(taskId, options, signal);
        return 'accepted';
      },
    }),
  },
  {
    does: 'says that it stops, and does not',
    caughtBy: 'stop ends a live task; a repeat says that there is nothing to stop',
    fault: () => ({ stop: async () => 'accepted' }),
  },
  {
    does: 'rejects where there is nothing to stop',
    caughtBy: 'stop of an unknown task says that there is nothing to stop',
    fault: (right) => ({
      async stop(taskId, options, signal) {
        const result = await right.stop(taskId, options, signal);
        if (result === 'nothing-to-stop') throw new Error('no such task');
        return result;
      },
    }),
  },
  {
    does: "stops all of a room's tasks",
    caughtBy: 'stop leaves other tasks alone',
    fault: (right) => ({
      async stop(taskId, options, signal) {
        const result = await right.stop(taskId, options, signal);
        if (result === 'accepted') {
          for (const task of await right.list(signal)) await right.stop(task.taskId, NOW, signal);
        }
        return result;
      },
    }),
  },
  {
    does: 'kills without SIGTERM',
    caughtBy: 'SIGTERM comes first: the task may end in its own way',
    fault: (right) => ({
      stop: (taskId, options, signal) => right.stop(taskId, { ...options, graceMs: 0 }, signal),
    }),
  },
  {
    does: 'kills before the grace is over',
    caughtBy: 'SIGKILL follows after the grace, not before',
    fault: (right) => ({
      stop: (taskId, options, signal) =>
        right.stop(taskId, { ...options, graceMs: options.graceMs / 2 }, signal),
    }),
  },
  {
    does: 'never kills',
    caughtBy: 'SIGKILL follows after the grace, not before',
    fault: (right) => ({
      stop: (taskId, options, signal) =>
        right.stop(taskId, { ...options, graceMs: 3_600_000 }, signal),
    }),
  },
  {
    does: 'sends SIGTERM although the grace is 0',
    caughtBy: 'a grace of 0 is SIGKILL at once',
    fault: (right) => ({
      stop: (taskId, options, signal) =>
        right.stop(taskId, { ...options, graceMs: Math.max(options.graceMs, 1) }, signal),
    }),
  },
  {
    does: 'lets only the first stop count',
    caughtBy: 'a repeated stop is accepted, and may hurry but not put off the end',
    fault: (right, engine) => ({
      stop: async (taskId, options, signal) =>
        (taskOf(engine, taskId)?.stoppingAtMs ?? Infinity) < Infinity
          ? 'accepted'
          : right.stop(taskId, options, signal),
    }),
  },
  {
    does: 'reports every end as success',
    caughtBy: 'an exit code is reported as it is',
    fault: relisting((tasks) =>
      tasks.map((task) => (task.exit ? { ...task, exit: { ...task.exit, code: 0 } } : task)),
    ),
  },
  {
    does: 'reports a signal by its number alone',
    caughtBy: 'an end by a signal reads as 128 and its number',
    fault: relisting((tasks) =>
      tasks.map((task) =>
        task.exit?.code === 137 ? { ...task, exit: { ...task.exit, code: 9 } } : task,
      ),
    ),
  },
  {
    does: 'takes a lost code for 0',
    caughtBy: 'a lost exit code is null, not success',
    fault: relisting((tasks) =>
      tasks.map((task) =>
        task.exit ? { ...task, exit: { ...task.exit, code: task.exit.code ?? 0 } } : task,
      ),
    ),
  },
  {
    does: 'does not tell a want of memory',
    caughtBy: 'an end for want of memory says so',
    fault: relisting((tasks) =>
      tasks.map((task) =>
        task.exit ? { ...task, exit: { ...task.exit, oomKilled: false } } : task,
      ),
    ),
  },
  {
    does: 'removes ended tasks without being asked',
    caughtBy: 'an ended task stays listed until it is removed',
    fault: (right) => ({
      async list(signal) {
        const tasks = await right.list(signal);
        for (const { taskId, phase } of tasks) {
          if (phase === 'ended') await right.remove(taskId, signal);
        }
        return tasks;
      },
    }),
  },
  {
    does: 'rejects where there is nothing to remove',
    caughtBy: 'remove resolves for an unknown task and touches nothing',
    fault: (right, engine) => ({
      async remove(taskId, signal) {
        if (taskOf(engine, taskId) === undefined) throw new Error('no such task');
        return right.remove(taskId, signal);
      },
    }),
  },
  {
    does: 'removes live tasks',
    caughtBy: 'remove leaves a live task alone and rejects with conflict',
    fault: (_right, engine) => ({
      remove: async (taskId) => void engine.tasks.delete(taskId),
    }),
  },
  {
    does: 'passes over a live task that is to be removed',
    caughtBy: 'remove leaves a live task alone and rejects with conflict',
    fault: (right) => ({
      remove: (taskId, signal) => right.remove(taskId, signal).catch(() => {}),
    }),
  },
];

/** Clauses that only an engine with processes and files can break; see `process.test.ts`. */
const shown = checks.filter((check) => obstacles(memoryHarness(), check).length === 0);

describe('wrong drivers', () => {
  it.each(wrongDrivers)('one that $does is caught', async ({ caughtBy, fault }) => {
    const make = (engine: MemoryEngine, deployment: string): Driver => {
      const right = memoryDriver(engine, { deployment });
      return { ...right, ...fault(right, engine, deployment) };
    };
    const caught: string[] = [];
    for (const check of shown) {
      await runCheck(check, () => memoryHarness({ make })).catch(() => caught.push(check.name));
    }
    expect(caught).toContain(caughtBy);
  });

  it('there is one for every check', () => {
    const named = new Set(wrongDrivers.map(({ caughtBy }) => caughtBy));
    expect(shown.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });
});
