/**
 * Hints of changes from the engine's event stream, which is opened again whenever it breaks. Each
 * opening is a hint itself: what happened in between was missed.
 */
import { type Clock, delay } from '../../lib/clock.ts';
import { type Log, reasonOf } from '../../lib/log.ts';

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;

type Events = (signal: AbortSignal) => Promise<AsyncIterable<unknown>>;

/** Nudges for each piece of the stream that `open` gives, until it is disposed of. */
export function watchEvents(
  open: Events,
  nudge: () => void,
  clock: Clock,
  log: Log,
): AsyncDisposable {
  const end = new AbortController();
  const { signal } = end;
  const watching = async () => {
    let backoffMs = BACKOFF_FIRST_MS;
    while (!signal.aborted) {
      try {
        const events = await open(signal);
        backoffMs = BACKOFF_FIRST_MS;
        if (!signal.aborted) nudge();
        for await (const _ of events) if (!signal.aborted) nudge();
      } catch (error) {
        if (!signal.aborted) log.debug('no hints from the engine', { reason: reasonOf(error) });
      }
      await delay(clock, backoffMs, signal);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
    }
  };
  const watched = watching();
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await watched;
    },
  };
}
