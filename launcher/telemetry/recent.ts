/**
 * The newest wide events, for whoever looks at the launcher: the event stream of the admin API and
 * the dashboard. Bounded, so that a launcher that runs for months keeps minutes.
 *
 * Events of level debug are heard by subscribers and not kept: passes over rooms would push out
 * what happened in them.
 */
import type { NumberedEvent } from '../admin/ports.ts';
import type { Listener } from './log.ts';

/** Some hundreds of rooms' lives. */
const EVENTS_MAX = 5_000;

export class RecentEvents {
  readonly #kept: NumberedEvent[] = [];
  readonly #subscribers = new Set<(event: NumberedEvent) => void>();
  #number: number;

  /** `startedAtMs`: a later life begins where no earlier one got to, at a million events a second. */
  constructor(startedAtMs: number) {
    this.#number = startedAtMs * 1_000;
  }

  /** Takes an event in: a listener of the log. */
  readonly listener: Listener = (told) => {
    this.#number += 1;
    const event = { ...told, number: this.#number };
    if (told.level !== 'debug') {
      this.#kept.push(event);
      if (this.#kept.length > EVENTS_MAX) this.#kept.shift();
    }
    for (const subscriber of this.#subscribers) subscriber(event);
  };

  /** Those that are kept and came after this number, oldest first. */
  since(number = 0): readonly NumberedEvent[] {
    return this.#kept.filter((event) => event.number > number);
  }

  /** Calls back for each event from now on, of every level; the returned function ends it. */
  subscribe(subscriber: (event: NumberedEvent) => void): () => void {
    this.#subscribers.add(subscriber);
    return () => void this.#subscribers.delete(subscriber);
  }
}
