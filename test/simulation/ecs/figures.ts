/** What the account's limits would allow, and how near to it the launcher came. Pure. */
import { AWS_RATES, type Rates } from '../../fakes/ecs/index.ts';
import type { Asked } from './wire.ts';

export interface Launches {
  /** RunTask calls that the service was asked for, and those that brought a task. */
  readonly attempted: number;
  readonly accepted: number;
  readonly throttled: number;
  /** When the last task was accepted, from the first room's start. */
  readonly lastMs: number;
}

export function launchesOf(asked: readonly Asked[], sinceMs: number): Launches {
  const calls = asked.filter(({ action }) => action === 'RunTask');
  const accepted = calls.filter(({ refusal }) => refusal === null);
  return {
    attempted: calls.length,
    accepted: accepted.length,
    throttled: calls.filter(({ refusal }) => refusal === 'ThrottlingException').length,
    lastMs: Math.max(...accepted.map(({ atMs }) => atMs)) - sinceMs,
  };
}

/** Calls by operation, those that were throttled too. */
export function callsOf(asked: readonly Asked[]): Readonly<Record<string, number>> {
  const calls: Record<string, number> = {};
  for (const { action } of asked) calls[action] = (calls[action] ?? 0) + 1;
  return calls;
}

/**
 * When the last of these tasks can be launched at the soonest, each wanted at its time: by a caller
 * that loses no time and knows the buckets of Fargate to the token.
 */
export function quotaLimitMs(wantedAtMs: readonly number[], rates: Rates = AWS_RATES): number {
  let lastMs = 0;
  const buckets = [rates.fargateLaunch, rates.fargateRunTask].map((rate) => ({
    ...rate,
    tokens: rate.burst,
    atMs: 0,
  }));
  for (const wantedMs of wantedAtMs.toSorted((a, b) => a - b)) {
    lastMs = Math.max(lastMs, wantedMs);
    for (const bucket of buckets) {
      const earned = ((lastMs - bucket.atMs) / 1_000) * bucket.perSecond;
      bucket.tokens = Math.min(bucket.burst, bucket.tokens + earned) - 1;
      bucket.atMs = lastMs;
      if (bucket.tokens < 0) lastMs += (-bucket.tokens / bucket.perSecond) * 1_000;
    }
  }
  return lastMs;
}

/** The value that this part of all are below or at. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil(part * sorted.length) - 1] ?? NaN;
}
