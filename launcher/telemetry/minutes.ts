/**
 * How many wide events of each outcome there were in each of the last minutes, for the dashboard's
 * plots. Metrics count the same events for whoever keeps them longer.
 */
import type { Clock } from '../lib/clock.ts';
import type { Told } from '../lib/log.ts';
import type { Listener } from './log.ts';

/** What is looked at when something has just gone wrong. */
const MINUTES = 60;
const MINUTE_MS = 60_000;

export interface Minute {
  /** Its beginning, Unix time. */
  readonly atMs: number;
  /** By `<event> <outcome>`. */
  readonly counts: ReadonlyMap<string, number>;
}

export class Minutes {
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** By the minute's number since 1970. */
  readonly #counts = new Map<number, Map<string, number>>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Takes an event in: a listener of the log. */
  readonly listener: Listener = (told) => {
    const name = countedAs(told);
    if (name === null) return;
    const minute = Math.floor(told.atMs / MINUTE_MS);
    let counts = this.#counts.get(minute);
    if (!counts) this.#counts.set(minute, (counts = new Map()));
    counts.set(name, (counts.get(name) ?? 0) + 1);
    for (const old of this.#counts.keys()) {
      if (old > minute - MINUTES) break;
      this.#counts.delete(old);
    }
  };

  /** The last sixty minutes, oldest first, those without any event too. */
  all(): readonly Minute[] {
    const now = Math.floor(this.#clock.nowMs() / MINUTE_MS);
    return Array.from({ length: MINUTES }, (_, i) => {
      const minute = now - MINUTES + 1 + i;
      return { atMs: minute * MINUTE_MS, counts: this.#counts.get(minute) ?? new Map() };
    });
  }
}

/** Null for what is not counted. Outcomes are few: they are the launcher's own words. */
function countedAs({ event, level, fields }: Told): string | null {
  switch (event) {
    case 'webhook.receive':
      return `${event} ${fields['status'] === 200 ? 'accepted' : 'refused'}`;
    case 'task.launch':
      return `${event} ${fields['outcome']}`;
    case 'task.end':
      // Old news of tasks that an earlier launcher ran.
      return level === 'debug' ? null : `${event} ${fields['verdict']}`;
    default:
      return null;
  }
}
