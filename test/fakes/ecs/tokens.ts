/**
 * RunTask's client tokens
 * (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html).
 *
 * Per cluster: the same token with the same parameters has the original result, failures too; with
 * others it is a conflict that names the tasks. A token lives for the lesser of 24 hours and the
 * lifetime of its last task plus one hour. Parameters are compared as they were sent: whether the
 * service takes a default that is spelled out for the same request, and what it means by "other than
 * the Region or Availability Zone", is not documented further.
 */
import type { Failure } from '@aws-sdk/client-ecs';
import { tokenConflict } from './errors.ts';
import type { FakeTask } from './task.ts';

const HOUR_MS = 3_600_000;
const TOKEN_MAX_MS = 24 * HOUR_MS;

export interface RunResult {
  readonly tasks: readonly FakeTask[];
  readonly failures: readonly Failure[];
}

interface Entry {
  readonly parameters: string;
  readonly result: RunResult;
  readonly firstUsedAtMs: number;
}

export class ClientTokens {
  readonly #entries = new Map<string, Entry>();

  /**
   * The result of the first request with this token; null for a new one. "Failures that are over an
   * hour old only include the number of failed tasks": as so many empty failures, a form that the
   * document does not show.
   */
  find(clusterArn: string, token: string, parameters: object, nowMs: number): RunResult | null {
    const key = `${clusterArn} ${token}`;
    const entry = this.#entries.get(key);
    if (!entry || nowMs >= expiresAtMs(entry, nowMs)) {
      this.#entries.delete(key);
      return null;
    }
    if (entry.parameters !== canonical(parameters)) {
      throw tokenConflict(entry.result.tasks.map((task) => task.arn));
    }
    const { tasks, failures } = entry.result;
    const old = nowMs > entry.firstUsedAtMs + HOUR_MS;
    return { tasks, failures: old ? failures.map(() => ({})) : failures };
  }

  keep(clusterArn: string, token: string, parameters: object, result: RunResult, nowMs: number) {
    this.#entries.set(`${clusterArn} ${token}`, {
      parameters: canonical(parameters),
      result,
      firstUsedAtMs: nowMs,
    });
  }
}

/** A result without tasks, which has no lifetime to go by, is kept for the longer time. */
function expiresAtMs({ firstUsedAtMs, result }: Entry, nowMs: number): number {
  const stoppedAtMs = result.tasks.map((task) => task.stateAt(nowMs).stoppedAtMs ?? Infinity);
  const lastStoppedAtMs = stoppedAtMs.length > 0 ? Math.max(...stoppedAtMs) : Infinity;
  return Math.min(firstUsedAtMs + TOKEN_MAX_MS, lastStoppedAtMs + HOUR_MS);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
