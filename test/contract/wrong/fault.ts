/** How a driver is made wrong: the right one of the engine in memory, with one thing changed. */
import type {
  Driver,
  LaunchRequest,
  LaunchResult,
  ObservedTask,
  TaskId,
} from '../../../launcher/driver.ts';
import type { MemoryEngine } from '../../../launcher/drivers/memory.ts';

/** What a wrong driver does differently from the right one. */
export type Fault = (right: Driver, engine: MemoryEngine, deployment: string) => Partial<Driver>;

export interface WrongDriver {
  readonly does: string;
  readonly caughtBy: string;
  readonly fault: Fault;
}

export const other = (deployment: string) => (deployment === 'ours' ? 'theirs' : 'ours');
export const taskOf = (engine: MemoryEngine, taskId: TaskId) => engine.tasks.get(taskId);

/** A driver whose lists pass through a change. */
export function relisting(
  change: (tasks: readonly ObservedTask[]) => readonly ObservedTask[],
): Fault {
  return (right) => ({ list: async (signal) => change(await right.list(signal)) });
}

/** A driver whose launches' answers pass through a change. */
export function answering(change: (result: LaunchResult) => LaunchResult): Fault {
  return (right) => ({
    launch: async (request, signal) => change(await right.launch(request, signal)),
  });
}

/** Launches without looking whether there is a task. */
export function always(
  engine: MemoryEngine,
  deployment: string,
  request: LaunchRequest,
): LaunchResult {
  const task = engine.create(deployment, request.key, request);
  engine.begin(task);
  const { id: taskId, createdAtMs, template } = task;
  const { key } = request;
  const seen = { taskId, key, phase: 'starting', template, runner: true, createdAtMs } as const;
  return { outcome: 'accepted', task: seen };
}
