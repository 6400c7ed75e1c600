/** The admin listener: health, what rooms and tasks there are, and stopping one of them. JSON. */
import { type Context, Hono } from 'hono';
import type { Clock } from '../lib/clock.ts';
import { httpServer } from '../lib/http-server.ts';
import { closeServer, listen, type ListenAddress } from '../lib/listen.ts';
import { type Log, reasonOf } from '../lib/log.ts';
import { refusalOf } from './guard.ts';
import type { AdminHost, StopAnswer } from './ports.ts';

/** For requests that are open when the listener closes. */
const CLOSE_GRACE_MS = 2000;
/** Probes come with any Host header, and these two answers name no room. */
const PROBES = new Set(['/healthz', '/readyz']);
const NOT_BUILT = ['/metrics', '/api/events', '/'];

export interface AdminOptions {
  readonly listen: ListenAddress;
  readonly host: AdminHost;
  readonly log: Log;
}

export interface AdminListenerOptions extends AdminOptions {
  readonly clock: Clock;
}

export interface AdminListener {
  readonly port: number;
  /** Stops accepting; open requests get a short time to finish. */
  close(): Promise<void>;
}

/** Rejects with `ListenError` when LAUNCHER_ADMIN_LISTEN cannot be opened. */
export async function createAdminListener(options: AdminListenerOptions): Promise<AdminListener> {
  const server = httpServer(adminApp(options).fetch);
  const port = await listen(server, options.listen, 'LAUNCHER_ADMIN_LISTEN');
  return { port, close: () => closeServer(server, options.clock, CLOSE_GRACE_MS) };
}

/** The routes alone. */
export function adminApp({ listen: address, host, log }: AdminOptions): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    c.header('Cache-Control', 'no-store');
    if (PROBES.has(c.req.path)) return next();
    const { method } = c.req;
    const from = { method, host: c.req.header('host'), origin: c.req.header('origin') };
    const refusal = refusalOf(from, address.host);
    return refusal === null ? next() : c.json({ error: refusal }, 403);
  });
  app.get('/healthz', (c) => c.json({ healthy: host.healthy() }, host.healthy() ? 200 : 503));
  app.get('/readyz', (c) => {
    const readiness = host.ready();
    return c.json(readiness, readiness.ready ? 200 : 503);
  });
  app.get('/api/rooms', (c) => c.json(host.rooms()));
  app.get('/api/tasks', (c) => c.json(host.tasks()));
  app.post('/api/rooms/:name/stop', async (c) =>
    stopped(c, 'room', await host.stopRoom(c.req.param('name'))),
  );
  app.post('/api/tasks/:key/stop', async (c) =>
    stopped(c, 'task', await host.stopTask(c.req.param('key'))),
  );
  for (const path of NOT_BUILT) {
    app.get(path, (c) => c.json({ error: `this version does not have ${path}` }, 501));
  }
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
