/**
 * Since when each live room that is to have an agent has had none, by the passes over it: the one
 * number to be alarmed by, however long a start takes on this engine.
 */
import type { RunState } from '../core/remembered.ts';
import type { Listener } from './log.ts';

/** Its agent is on its way, as far as is known. */
const UNSERVED: ReadonlySet<string> = new Set<RunState>([
  'waiting',
  'launching',
  'starting',
  'running',
]);
/** Bounds the memory; those that wait longest stay. */
const ROOMS_MAX = 20_000;

export class Unserved {
  readonly #sinceMs = new Map<string, number>();

  /** Takes an event in: a listener of the log. */
  readonly listener: Listener = ({ event, atMs, fields }) => {
    const { sid, state } = fields;
    if (event !== 'pass.run' || typeof sid !== 'string') return;
    if (!UNSERVED.has(String(state))) this.#sinceMs.delete(sid);
    else if (!this.#sinceMs.has(sid) && this.#sinceMs.size < ROOMS_MAX) {
      this.#sinceMs.set(sid, atMs);
    }
  };

  /** Of the rooms that there are, since when the one has waited that waits longest; null: none does. */
  longestSinceMs(sids: ReadonlySet<string>): number | null {
    let longest: number | null = null;
    for (const [sid, sinceMs] of this.#sinceMs) {
      if (!sids.has(sid)) this.#sinceMs.delete(sid);
      else if (longest === null || sinceMs < longest) longest = sinceMs;
    }
    return longest;
  }
}
