/**
 * Task state changes as EventBridge puts them into a queue: at least once, in any order, between
 * whatever else arrives there. Pure, but for what was seen before.
 */
import { isOfDeployment } from './convert.ts';

/** A task's change; a later one has a higher version. */
export interface TaskChange {
  readonly taskArn: string;
  readonly version: number;
}

/** Tasks whose newest change is remembered; of one that was forgotten an old change is news. */
const TASKS_MAX = 10_000;

/** What a message tells of a task of this deployment; null for every other text. */
export function changeOf(body: string, deployment: string): TaskChange | null {
  const { source, detail } = objectIn(parsed(body));
  const { startedBy, taskArn, version } = objectIn(detail);
  if (source !== 'aws.ecs' || typeof startedBy !== 'string') return null;
  if (!isOfDeployment({ startedBy }, deployment)) return null;
  return typeof taskArn === 'string' && typeof version === 'number' ? { taskArn, version } : null;
}

/** Tells news from what came twice or late. */
export class Newest {
  readonly #versions = new Map<string, number>();

  /** Takes a change in; false when one as new was seen before. */
  isNews({ taskArn, version }: TaskChange): boolean {
    const seen = this.#versions.get(taskArn) ?? -1;
    if (version <= seen) return false;
    // Deleted first, so that the first of the map is the one that changed longest ago.
    this.#versions.delete(taskArn);
    this.#versions.set(taskArn, version);
    const [oldest] = this.#versions.keys();
    if (this.#versions.size > TASKS_MAX && oldest !== undefined) this.#versions.delete(oldest);
    return true;
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
