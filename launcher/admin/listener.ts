/**
 * The admin listener: health, what rooms and tasks there are, and stopping one of them, in JSON; the
 * metrics; and the dashboard.
 */
import { setMaxListeners } from 'node:events';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import type { Clock } from '../lib/clock.ts';
import { httpServer } from '../lib/http-server.ts';
import { closeServer, listen, type ListenAddress } from '../lib/listen.ts';
import { type Log, reasonOf } from '../lib/log.ts';
import { dashboardRoutes } from './dashboard/routes.ts';
import { eventStream } from './event-stream.ts';
import { refusalOf } from './guard.ts';
import { logStreams } from './log-stream.ts';
import type { AdminHost, StopAnswer } from './ports.ts';

/**
 * For requests that are open when the listener closes. Short, as the gateway closes after it: agents
 * must not wait for somebody who has stopped reading.
 */
const CLOSE_GRACE_MS = 500;
/**
 * Probes, and a Prometheus that finds its targets by a service's name, come with any Host header.
 * These answers name no room and change nothing.
 */
const ANY_HOST = new Set(['/healthz', '/readyz', '/metrics']);

/** A stream that nobody reads would never end. */
const STREAMS = /^\/(?:api\/events|api\/tasks\/[^/]+\/logs|dashboard\/live|rooms\/[^/]+\/live)$/;
/** Everything comes from here, nothing from elsewhere, and nothing here is shown in another's page. */
const HEADERS = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

export interface AdminOptions {
  readonly listen: ListenAddress;
  readonly host: AdminHost;
  readonly log: Log;
  readonly clock: Clock;
}

interface AppOptions extends AdminOptions {
  /** Aborts when the listener closes: streams end. */
  readonly closing: AbortSignal;
}

export interface AdminListener {
  readonly port: number;
  /** Stops accepting; open requests get a short time to finish. */
  close(): Promise<void>;
}

/** Rejects with `ListenError` when LAUNCHER_ADMIN_LISTEN cannot be opened. */
export async function createAdminListener(options: AdminOptions): Promise<AdminListener> {
  const closing = new AbortController();
  // Each stream that is open waits for it.
  setMaxListeners(0, closing.signal);
  const app = adminApp({ ...options, closing: closing.signal });
  const server = httpServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
  const port = await listen(server, options.listen, 'LAUNCHER_ADMIN_LISTEN');
  const close = () => {
    closing.abort();
    return closeServer(server, options.clock, CLOSE_GRACE_MS);
  };
  return { port, close };
}

/** The routes alone. */
export function adminApp(options: AppOptions): Hono {
  const { listen: address, host, log } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  });
  app.use(async (c, next) => {
    c.header('Cache-Control', 'no-store');
    if (ANY_HOST.has(c.req.path)) return next();
    const { method } = c.req;
    const from = {
      method,
      host: c.req.header('host'),
      origin: c.req.header('origin'),
      site: c.req.header('sec-fetch-site'),
      mode: c.req.header('sec-fetch-mode'),
      dest: c.req.header('sec-fetch-dest'),
    };
    const refusal = refusalOf(from, address.host);
    if (refusal !== null) return c.json({ error: refusal }, 403);
    if (method !== 'HEAD' || !STREAMS.test(c.req.path)) return next();
    return c.json({ error: 'ask by GET' }, 405, { Allow: 'GET' });
  });
  app.get('/healthz', (c) => c.json({ healthy: host.healthy() }, host.healthy() ? 200 : 503));
  app.get('/readyz', (c) => {
    const readiness = host.ready();
    return c.json(readiness, readiness.ready ? 200 : 503);
  });
  app.get('/metrics', async (c) => {
    const { contentType, text } = await host.metrics();
    return c.body(text, 200, { 'Content-Type': contentType });
  });
  app.get('/api/rooms', (c) => c.json(host.rooms()));
  app.get('/api/tasks', (c) => c.json(host.tasks()));
  app.get('/api/tasks/:key/logs', logStreams(options));
  app.get('/api/events', (c) => eventStream(c, options));
  app.post('/api/rooms/:name/stop', async (c) =>
    stopped(c, 'room', await host.stopRoom(c.req.param('name'))),
  );
  app.post('/api/tasks/:key/stop', async (c) =>
    stopped(c, 'task', await host.stopTask(c.req.param('key'))),
  );
  app.route('/', dashboardRoutes(options));
  app.notFound((c) => c.json({ error: 'there is no such path, or not with this method' }, 404));
  app.onError((error, c) => {
    log.error('an admin request failed', { reason: reasonOf(error) });
    return c.json({ error: 'internal error; the log has more' }, 500);
  });
  return app;
}

function stopped(c: Context, what: 'room' | 'task', answer: StopAnswer): Response {
  if (answer === 'accepted') return c.json({ answer }, 202);
  if (answer === 'unknown') return c.json({ error: `there is no such ${what}` }, 404);
  return c.json({ error: `this ${what} has nothing that runs` }, 409);
}
