/** Drivers whose `launch` is wrong. */
import type { ObservedTask, TaskId, TaskKey } from '../../../launcher/driver.ts';
import { calm } from '../harness.ts';
import { always, answering, taskOf, type WrongDriver } from './fault.ts';

export const wrongLaunch: readonly WrongDriver[] = [
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
];
