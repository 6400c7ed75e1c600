/** Drivers whose `stop`, `remove` or exits are wrong. */
import { NOW } from '../harness.ts';
import { relisting, taskOf, type WrongDriver } from './fault.ts';

export const wrongEnd: readonly WrongDriver[] = [
  {
    does: 'leaves ended tasks out',
    caughtBy: 'an ended task stays listed until it is removed',
    fault: relisting((tasks) => tasks.filter(({ phase }) => phase !== 'ended')),
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
