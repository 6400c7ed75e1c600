/** `stop` and `remove` of the Docker engine. */
import { DriverError, type StopOptions, type StopResult, type TaskId } from '../../driver.ts';
import { type Engine, isContainerId } from './calls.ts';
import { type Inspection, isHalfDone, taskOf } from './convert.ts';
import type { Stops } from './stops.ts';

/** Longest time between SIGTERM and SIGKILL. */
export const GRACE_MAX_MS = 24 * 3_600_000;

/** The contract's `stop`. */
export async function stop(
  engine: Engine,
  deployment: string,
  stops: Stops,
  taskId: TaskId,
  options: StopOptions,
  signal: AbortSignal,
): Promise<StopResult> {
  const seen = await ours(engine, deployment, taskId, signal);
  if (seen === null || isEnded(seen, deployment)) return 'nothing-to-stop';
  // An engine cannot end what never ran, and a repeated launch would start it: it has to run first.
  if (isHalfDone(seen)) await engine.start(taskId, signal);
  const graceMs = Math.min(options.graceMs, GRACE_MAX_MS);
  const stopped =
    isHalfDone(seen) || graceMs <= 0
      ? await engine.kill(taskId, signal)
      : await stops.ask(engine, taskId, graceMs, signal);
  return stopped ? 'accepted' : 'nothing-to-stop';
}

/** The contract's `remove`. */
export async function remove(
  engine: Engine,
  deployment: string,
  taskId: TaskId,
  signal: AbortSignal,
): Promise<void> {
  const seen = await ours(engine, deployment, taskId, signal);
  if (seen === null) return;
  if (isEnded(seen, deployment) && (await engine.remove(taskId, signal))) return;
  // Refused: it came to life, or another launcher is removing it.
  const now = await ours(engine, deployment, taskId, signal);
  if (now !== null && !isEnded(now, deployment)) {
    throw new DriverError('conflict', `${taskId} is live`);
  }
}

/** A readable task of this deployment; null for everything else, as if it were not there. */
export async function ours(
  engine: Engine,
  deployment: string,
  taskId: TaskId,
  signal: AbortSignal,
): Promise<Inspection | null> {
  if (!isContainerId(taskId)) return null;
  const seen = await engine.inspect(taskId, signal);
  return seen !== null && taskOf(seen, deployment, false).key !== null ? seen : null;
}

function isEnded(seen: Inspection, deployment: string): boolean {
  return taskOf(seen, deployment, false).phase === 'ended';
}
