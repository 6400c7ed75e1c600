/** Drivers whose `logs` is wrong. */
import type { Output } from '../../../launcher/driver.ts';
import { memoryDriver } from '../../../launcher/drivers/memory.ts';
import { calm } from '../harness.ts';
import { other, taskOf, type WrongDriver } from './fault.ts';

async function* twice(output: Output): Output {
  for await (const text of output) yield text + text;
}

export const wrongOutput: readonly WrongDriver[] = [
  {
    does: 'gives all output, however little is asked for',
    caughtBy: 'output is what both streams got, cut to its last lines',
    fault: (right) => ({
      logs: async (taskId, options, signal) =>
        right.logs?.(taskId, { ...options, tail: Infinity }, signal) ?? null,
    }),
  },
  {
    does: 'gives each piece of output twice',
    caughtBy: 'output is followed until the task ends',
    fault: (right) => ({
      async logs(taskId, options, signal) {
        const output = await right.logs?.(taskId, options, signal);
        return output ? twice(output) : null;
      },
    }),
  },
  {
    does: 'does not follow',
    caughtBy: 'output is followed until the task ends',
    fault: (right) => ({
      logs: async (taskId, options, signal) =>
        right.logs?.(taskId, { ...options, follow: false }, signal) ?? null,
    }),
  },
  {
    does: 'has output of live tasks alone',
    caughtBy: 'an ended task has its output until it is removed',
    fault: (right, engine) => ({
      logs: async (taskId, options, signal) =>
        (taskOf(engine, taskId)?.endsAtMs ?? 0) < Infinity
          ? null
          : (right.logs?.(taskId, options, signal) ?? null),
    }),
  },
  {
    does: "has another deployment's output",
    caughtBy: "there is no output of an unknown task, nor of another deployment's",
    fault: (right, engine, deployment) => ({
      async logs(taskId, options, signal) {
        const ours = (await right.logs?.(taskId, options, signal)) ?? null;
        const theirs = memoryDriver(engine, { deployment: other(deployment) });
        return ours ?? (await theirs.logs?.(taskId, options, signal)) ?? null;
      },
    }),
  },
  {
    does: 'follows on after an abort',
    caughtBy: 'output that is followed ends soon after an abort',
    fault: (right) => ({
      logs: async (taskId, options) => right.logs?.(taskId, options, calm()) ?? null,
    }),
  },
];
