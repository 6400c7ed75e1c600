/**
 * What is told of a call to something that the launcher depends on, an engine or LiveKit: which verb,
 * how it went, how long it took. Decorators use it, so that what is measured does not know of it.
 */
import type { Clock } from './clock.ts';

export interface MeteredCall {
  readonly verb: string;
  /** One of a fixed few: a result's own kind, an error's kind, `ok`, or `error` for any other. */
  readonly outcome: string;
  readonly tookMs: number;
}

/** Takes note of a call that is over. */
export type NoteCall = (call: MeteredCall) => void;

export interface MeterParts {
  readonly clock: Clock;
  readonly note: NoteCall;
  /** The kind of an error, of a fixed few; null for one that has none. */
  readonly kindOf: (error: unknown) => string | null;
}

/** Makes a call, and notes it. Settles as the call does. */
export type Meter = <T>(
  verb: string,
  call: () => Promise<T>,
  outcomeOf?: (result: T) => string,
) => Promise<T>;

export function callMeter({ clock, note, kindOf }: MeterParts): Meter {
  return async (verb, call, outcomeOf = () => 'ok') => {
    const begunAtMs = clock.nowMs();
    const told = (outcome: string) => {
      try {
        note({ verb, outcome, tookMs: clock.nowMs() - begunAtMs });
      } catch {
        // Whoever counts must not break what is counted.
      }
    };
    try {
      const result = await call();
      told(outcomeOf(result));
      return result;
    } catch (error) {
      told(kindOf(error) ?? 'error');
      throw error;
    }
  };
}
