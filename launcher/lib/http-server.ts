/**
 * An HTTP server with a bound on everything that a stranger could use up: connections, time for a
 * request, idle time.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface HttpLimits {
  readonly maxConnections: number;
  /** For the headers. */
  readonly headersMs: number;
  /** For the headers and the body together; a slower sender is cut off. */
  readonly requestMs: number;
  /** Between two requests of one connection. */
  readonly idleMs: number;
}

export const HTTP_LIMITS: HttpLimits = {
  // LiveKit sends each room's webhooks over a connection of their own: a burst of rooms is one of
  // connections. An unsigned sender takes up a connection and its headers, no more.
  maxConnections: 4096,
  headersMs: 5000,
  requestMs: 10_000,
  // Longer than Go's HTTP client keeps a connection idle (90 s): LiveKit's server closes first, and
  // no webhook is sent into a connection that closes under it.
  idleMs: 95_000,
};

/** How often Node looks for requests that have run out of time, at most. */
const CHECK_INTERVAL_MS = 1000;

/** Answers a request. Never throws or rejects. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Not yet listening: `lib/listen.ts` opens and closes it. */
export function httpServer(answer: Answer, limits: HttpLimits = HTTP_LIMITS): Server {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headersMs / 2),
    },
    (request, response) => {
      request.once('close', endIdle);
      response.once('close', endIdle);
      answer(request, response);
    },
  );
  /** `close` ends what is idle by then; what is not yet would keep it waiting for its next request. */
  const endIdle = () => {
    if (!server.listening) server.closeIdleConnections();
  };
  server.maxConnections = limits.maxConnections;
  return server;
}
