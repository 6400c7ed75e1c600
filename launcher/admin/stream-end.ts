/**
 * When a stream of an answer ends: its client has gone, or the listener closes. Either also settles a
 * write that a client which reads no more would keep waiting, so that such a one neither holds
 * anything here nor holds up an orderly end.
 */
import type { StreamingApi } from 'hono/utils/stream';

export interface StreamEnd {
  /** Aborts at the stream's end. */
  readonly signal: AbortSignal;
  /** To be called once the stream is done: the listener outlives it by far. */
  release(): void;
}

export function endOf(stream: StreamingApi, closing: AbortSignal): StreamEnd {
  const gone = new AbortController();
  stream.onAbort(() => gone.abort());
  const cut = () => stream.abort();
  if (closing.aborted) cut();
  else closing.addEventListener('abort', cut, { once: true });
  return { signal: gone.signal, release: () => closing.removeEventListener('abort', cut) };
}
