/**
 * `GET /api/events`: the wide events as server-sent events, those of the last minutes first, then
 * each as it happens. A client that was cut off comes back with `Last-Event-ID` and misses nothing
 * that is still kept, also over a restart of the launcher.
 *
 * `?sid=`, `?task=` and `?event=` (may be repeated) choose; `?level=debug` adds each pass and the
 * webhooks that were ignored.
 */
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import { type Clock, delay } from '../lib/clock.ts';
import type { AdminHost, NumberedEvent } from './ports.ts';
import { endOf } from './stream-end.ts';

/** A client that reads so slowly is cut off; it comes back by itself, and reads on. */
const WAITING_MAX = 6_000;
/** Proxies and clients take a silent connection for a dead one. */
const HEARTBEAT_MS = 15_000;
/** How soon a client that was cut off comes back. */
const RETRY_MS = 1_000;

export interface EventStreamParts {
  readonly host: Pick<AdminHost, 'events' | 'roomName'>;
  readonly clock: Clock;
  /** Aborts when the listener closes. */
  readonly closing: AbortSignal;
}

/** Answers with the stream. It ends when the client goes, reads too slowly, or the listener closes. */
export function eventStream(c: Context, { host, clock, closing }: EventStreamParts): Response {
  const wanted = chosen(c);
  const after = Number(c.req.header('last-event-id') ?? 0) || 0;
  return streamSSE(c, async (stream) => {
    const waiting: NumberedEvent[] = host.events.since(after).filter(wanted);
    let news = new AbortController();
    const end = endOf(stream, closing);
    const unsubscribe = host.events.subscribe((event) => {
      if (!wanted(event)) return;
      waiting.push(event);
      news.abort();
      if (waiting.length > WAITING_MAX) stream.abort();
    });
    try {
      await stream.write(`retry: ${RETRY_MS}\n\n`);
      while (!end.signal.aborted) {
        const event = waiting.shift();
        if (event) await send(stream, event, host);
        else {
          news = new AbortController();
          await delay(clock, HEARTBEAT_MS, news.signal, end.signal);
          const silent = !news.signal.aborted && !end.signal.aborted;
          if (silent) await stream.write(': still here\n\n');
        }
      }
    } finally {
      unsubscribe();
      end.release();
    }
  });
}

function chosen(c: Context): (event: NumberedEvent) => boolean {
  const { sid, task, level } = c.req.query();
  const events = new Set(c.req.queries('event'));
  return (event) =>
    (level === 'debug' || event.level !== 'debug') &&
    (sid === undefined || event.fields['sid'] === sid) &&
    (task === undefined || event.fields['task'] === task) &&
    (events.size === 0 || events.has(event.event));
}

function send(
  stream: SSEStreamingApi,
  { number, atMs, event, level, fields }: NumberedEvent,
  { roomName }: EventStreamParts['host'],
): Promise<void> {
  const { sid } = fields;
  const room = typeof sid === 'string' ? roomName(sid) : null;
  const time = new Date(atMs).toISOString();
  const data = JSON.stringify({ time, level, ...fields, event, ...(room !== null && { room }) });
  return stream.writeSSE({ id: String(number), data });
}
