/** Drivers that list, hint or keep to their own wrongly. */
import type { TaskId, TaskKey } from '../../../launcher/driver.ts';
import { memoryDriver } from '../../../launcher/drivers/memory.ts';
import { calm, NOW } from '../harness.ts';
import { other, relisting, taskOf, type WrongDriver } from './fault.ts';

export const wrongList: readonly WrongDriver[] = [
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
];
