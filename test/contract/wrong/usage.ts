/** Drivers whose `usage` is wrong. */
import type { TaskUsage } from '../../../launcher/driver.ts';
import { calm } from '../harness.ts';
import type { WrongDriver } from './fault.ts';

export const wrongUsage: readonly WrongDriver[] = [
  {
    does: 'tells the rate instead of the sum',
    caughtBy: 'usage tells of each running task what it was asked for',
    fault: (right) => {
      let share = 1;
      return {
        async usage(taskIds, signal) {
          const found = (await right.usage?.(taskIds, signal)) ?? [];
          return found.map((each): TaskUsage => ({ ...each, cpuSeconds: (share /= 2) }));
        },
      };
    },
  },
  {
    does: 'tells of what has ended',
    caughtBy: 'usage leaves out what does not run, is unknown or of others',
    fault: (_right, engine, deployment) => ({
      usage: async (taskIds) =>
        taskIds
          .filter((id) => engine.tasks.get(id)?.deployment === deployment)
          .map((taskId) => ({ taskId, cpuSeconds: 1, memoryBytes: 1 })),
    }),
  },
  {
    does: "tells of another deployment's",
    caughtBy: 'usage leaves out what does not run, is unknown or of others',
    fault: (_right, engine) => ({
      usage: async (taskIds) =>
        taskIds
          .filter((id) => (engine.tasks.get(id)?.endsAtMs ?? 0) > engine.nowMs())
          .map((taskId) => ({ taskId, cpuSeconds: 1, memoryBytes: 1 })),
    }),
  },
  {
    does: 'takes no abort of usage',
    caughtBy: 'an aborted usage rejects',
    fault: (right) => ({ usage: async (taskIds) => (await right.usage?.(taskIds, calm())) ?? [] }),
  },
];
