/**
 * One outage of something that the launcher depends on, from its first failure to its end. It is
 * said once when it begins and once when it is over: a line per failed attempt would bury the rest.
 */
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

export interface OutageState {
  /** When the first failed attempt was reported, Unix time. */
  readonly sinceMs: number;
  /** The newest failure, in one line. */
  readonly reason: string;
}

export class Outage {
  readonly #subject: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #current: OutageState | null = null;

  /** `subject` names in log lines what is away, for example `LiveKit`. */
  constructor(subject: string, clock: Clock, log: Log) {
    this.#subject = subject;
    this.#clock = clock;
    this.#log = log;
  }

  get down(): boolean {
    return this.#current !== null;
  }

  /** The outage that goes on, or null. */
  get current(): OutageState | null {
    return this.#current;
  }

  /** An attempt failed. Only the first of an outage is logged; later ones keep the reason fresh. */
  failed(reason: string): void {
    if (this.#current) {
      this.#current = { ...this.#current, reason };
      return;
    }
    this.#current = { sinceMs: this.#clock.nowMs(), reason };
    this.#log.warn(`${this.#subject} does not answer; retrying`, { reason });
  }

  /** An attempt succeeded: ends the outage, if there was one. */
  succeeded(): void {
    if (!this.#current) return;
    const downMs = this.#clock.nowMs() - this.#current.sinceMs;
    this.#current = null;
    this.#log.info(`${this.#subject} answers again`, { down_ms: downMs });
  }
}
