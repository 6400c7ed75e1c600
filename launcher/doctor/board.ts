/**
 * Runs checks beside one another, each within its time, and keeps what they found. One that fails
 * or takes too long is a finding like any other: the rest goes on.
 */
import { untilAborted } from '../lib/abort.ts';
import { type Clock, delay } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';
import {
  type CheckName,
  type CheckReport,
  CHECKS,
  type Finding,
  type Seen,
  unseen,
  wrong,
} from './finding.ts';

/** For a check that has run out of time to remove what it made. */
const CLEAN_UP_MS = 10_000;

export class Board {
  readonly #clock: Clock;
  readonly #end: AbortSignal;
  readonly #reports = new Map<CheckName, CheckReport>();
  readonly #runningSinceMs = new Map<CheckName, number>();

  /** `end` gives everything up that still runs. */
  constructor(clock: Clock, end: AbortSignal) {
    this.#clock = clock;
    this.#end = end;
  }

  /** Looks within `limitMs`; resolves with the value, undefined without one. Never rejects. */
  async look<T>(
    check: CheckName,
    limitMs: number,
    work: (signal: AbortSignal) => Promise<Seen<T>>,
  ): Promise<T | undefined> {
    const beganAtMs = this.#clock.nowMs();
    this.#runningSinceMs.set(check, beganAtMs);
    const late = new AbortController();
    const cancel = this.#clock.timer(limitMs, () =>
      late.abort(new Error(`no answer within ${limitMs / 1_000} s`)),
    );
    const signal = AbortSignal.any([late.signal, this.#end]);
    const seen = await Promise.race([
      work(signal).catch((error: unknown) => failed<T>(error, signal)),
      this.#overdue(signal).then(() => failed<T>(null, signal)),
    ]);
    cancel();
    this.#runningSinceMs.delete(check);
    const tookMs = this.#clock.nowMs() - beganAtMs;
    if (this.#end.aborted) {
      // What failed meanwhile may have failed of that.
      this.#note(check, [unseen('the doctor was ended before')], tookMs);
      return undefined;
    }
    this.#note(check, seen.findings, tookMs);
    return seen.value;
  }

  /** Notes that a check was not made, and why. */
  skip(check: CheckName, why: string, remedy?: string): undefined {
    this.#note(check, [unseen(why, remedy)], 0);
    return undefined;
  }

  /** What was found so far, in the order of `CHECKS`. */
  reports(): readonly CheckReport[] {
    return CHECKS.flatMap((check) => this.#reports.get(check) ?? []);
  }

  /** Checks that have been running for longer than `ms`. */
  runningFor(ms: number): readonly CheckName[] {
    const since = this.#clock.nowMs() - ms;
    return CHECKS.filter((check) => (this.#runningSinceMs.get(check) ?? Infinity) <= since);
  }

  #note(check: CheckName, findings: readonly Finding[], tookMs: number): void {
    this.#reports.set(check, { check, findings, tookMs });
  }

  /** Resolves when work that was given up should have cleaned up long ago. */
  async #overdue(signal: AbortSignal): Promise<void> {
    await untilAborted(signal);
    await delay(this.#clock, CLEAN_UP_MS);
  }
}

/** What took too long says so; anything else says what went wrong. */
function failed<T>(error: unknown, { aborted, reason }: AbortSignal): Seen<T> {
  if (!aborted) return { findings: [wrong(reasonOf(error))] };
  return { findings: [wrong(`${reasonOf(reason)}; it was given up`)] };
}
