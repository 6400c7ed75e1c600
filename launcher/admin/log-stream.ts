/**
 * `GET /api/tasks/:key/logs`: what a task has written, as plain text, the last `?tail=` lines first,
 * and with `?follow=true` what comes, until it ends.
 *
 * It is the agent's own output, passed on as it is: whatever an agent prints, its secrets and what
 * is said in its room too, is read by whoever reaches this listener. It never gets into our log.
 */
import type { Context } from 'hono';
import { streamText } from 'hono/streaming';
import { DriverError, type LogsOptions, type Output } from '../driver.ts';
import { reasonOf } from '../lib/log.ts';
import type { AdminHost } from './ports.ts';
import { endOf } from './stream-end.ts';

const TAIL_DEFAULT = 200;
const TAIL_MAX = 10_000;
/** Each is a connection to the engine, for as long as it is followed. */
const AT_ONCE_MAX = 64;

export interface LogStreamParts {
  readonly host: Pick<AdminHost, 'logs'>;
  /** Aborts when the listener closes. */
  readonly closing: AbortSignal;
}

/** Answers such requests; a stream ends when the client goes, the task ends or the listener closes. */
export function logStreams({ host, closing }: LogStreamParts): (c: Context) => Promise<Response> {
  let open = 0;
  return async (c) => {
    const options = optionsOf(c);
    if (typeof options === 'string') return c.json({ error: options }, 400);
    if (open >= AT_ONCE_MAX) {
      return c.json({ error: `${AT_ONCE_MAX} logs are being read already` }, 429);
    }
    open += 1;
    const gone = new AbortController();
    const cut = () => gone.abort();
    // Also before there is a stream: an engine that does not answer must not keep the place.
    c.req.raw.signal.addEventListener('abort', cut, { once: true });
    closing.addEventListener('abort', cut, { once: true });
    let closed = false;
    const close = () => {
      if (!closed) open -= 1;
      closed = true;
      closing.removeEventListener('abort', cut);
      gone.abort();
    };
    try {
      const output = await host.logs(c.req.param('key') ?? '', options, gone.signal);
      if (output !== null) return passOn(c, output, closing, close);
      close();
      return c.json({ error: 'there is no such task' }, 404);
    } catch (error) {
      close();
      if (!(error instanceof DriverError)) throw error;
      return c.json({ error: error.message }, error.kind === 'invalid' ? 501 : 502);
    }
  };
}

/** `close` ends the output, and is called at the stream's end, whatever ends it. */
function passOn(c: Context, output: Output, closing: AbortSignal, close: () => void): Response {
  return streamText(c, async (stream) => {
    const end = endOf(stream, closing);
    end.signal.addEventListener('abort', close, { once: true });
    try {
      for await (const text of output) await stream.write(text);
    } catch (error) {
      await stream.write(`\nroom-launcher: the output breaks off: ${reasonOf(error)}\n`);
    } finally {
      end.release();
      close();
    }
  });
}

/** A text says what is wrong with the query. */
function optionsOf(c: Context): LogsOptions | string {
  const { tail = String(TAIL_DEFAULT), follow = 'false' } = c.req.query();
  if (!/^\d{1,5}$/.test(tail) || Number(tail) > TAIL_MAX) {
    return `tail is ${JSON.stringify(tail)}: it must be a number of lines from 0 to ${TAIL_MAX}`;
  }
  if (follow !== 'true' && follow !== 'false') {
    return `follow is ${JSON.stringify(follow)}: it must be true or false`;
  }
  return { tail: Number(tail), follow: follow === 'true' };
}
