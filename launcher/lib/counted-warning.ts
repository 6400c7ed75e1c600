/**
 * A warning about what strangers can cause at will: said at once, then once a minute with how often
 * it came meanwhile, so that nobody can fill the log.
 */
import type { Clock } from './clock.ts';
import type { Fields } from './log.ts';

/** How often one reason is said. */
export const SAY_EVERY_MS = 60_000;

export class CountedWarning {
  readonly #clock: Clock;
  readonly #say: (fields: Fields) => void;
  readonly #seen = new Map<string, { count: number; saidAtMs: number }>();

  /**
   * `say` writes the line: its fields are the reason, how often it came since it was last said (this
   * time included), and what else was noted this time.
   */
  constructor(clock: Clock, say: (fields: Fields) => void) {
    this.#clock = clock;
    this.#say = say;
  }

  /** It happened. `reason` is one of a fixed few, never a stranger's text: each is kept. */
  note(reason: string, fields: Fields = {}): void {
    const nowMs = this.#clock.nowMs();
    const seen = this.#seen.get(reason) ?? { count: 0, saidAtMs: -Infinity };
    this.#seen.set(reason, seen);
    seen.count += 1;
    if (nowMs - seen.saidAtMs < SAY_EVERY_MS) return;
    this.#say({ ...fields, reason, count: seen.count });
    seen.count = 0;
    seen.saidAtMs = nowMs;
  }
}
