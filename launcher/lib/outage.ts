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

/** What log lines say of the subject. */
export interface OutageWords {
  readonly begins: string;
  readonly ends: string;
}

const NO_ANSWER: OutageWords = { begins: 'does not answer; retrying', ends: 'answers again' };

export class Outage {
  readonly #subject: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #words: OutageWords;
  #current: OutageState | null = null;

  /** `subject` names in log lines what is away, for example `LiveKit`. */
  constructor(subject: string, clock: Clock, log: Log, words: OutageWords = NO_ANSWER) {
    this.#subject = subject;
    this.#clock = clock;
    this.#log = log;
    this.#words = words;
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
    this.#log.warn(`${this.#subject} ${this.#words.begins}`, { reason });
  }

  /** An attempt succeeded: ends the outage, if there was one. */
  succeeded(): void {
    if (!this.#current) return;
    const downMs = this.#clock.nowMs() - this.#current.sinceMs;
    this.#current = null;
    this.#log.info(`${this.#subject} ${this.#words.ends}`, { down_ms: downMs });
  }
}
