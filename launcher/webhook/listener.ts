/**
 * The webhook listener: verify, say where to look, answer. LiveKit sends a room's webhooks one after
 * the other and waits for each answer without a time limit, so nothing here waits for any work; and
 * it repeats a webhook on 5xx only, so a bad one is answered with 4xx.
 *
 * This is the one listener that strangers may reach, so it trusts nothing that is not signed.
 */
import { type Context, Hono } from 'hono';
import type { Clock } from '../lib/clock.ts';
import { httpServer } from '../lib/http-server.ts';
import { closeServer, listen, type ListenAddress } from '../lib/listen.ts';
import { type Log, reasonOf } from '../lib/log.ts';
import { readBody } from './body.ts';
import { toNudge, type WebhookNudge } from './nudge.ts';
import { type Verify, type WebhookKey, webhookVerifier } from './verify.ts';

/** Far above any webhook of LiveKit's: the largest carries a room's metadata. */
const MAX_BODY_BYTES = 1024 * 1024;
/** For requests that are open when the listener closes. */
const CLOSE_GRACE_MS = 2000;

export interface WebhookOptions {
  readonly keys: readonly WebhookKey[];
  /** The participant attribute that names an agent's task. */
  readonly taskAttribute: string;
  readonly log: Log;
  /** Called after the answer; must only take note. */
  readonly nudge: (nudge: WebhookNudge) => void;
  /** Whether the launcher's process is well, for `/healthz`. */
  readonly healthy: () => boolean;
}

export interface WebhookListenerOptions extends WebhookOptions {
  readonly listen: ListenAddress;
  readonly clock: Clock;
}

export interface WebhookListener {
  readonly port: number;
  /** Stops accepting; open requests get a short time to finish. */
  close(): Promise<void>;
}

/** Rejects with `ListenError` when LAUNCHER_WEBHOOK_LISTEN cannot be opened. */
export async function createWebhookListener(
  options: WebhookListenerOptions,
): Promise<WebhookListener> {
  const server = httpServer(webhookApp(options).fetch);
  const port = await listen(server, options.listen, 'LAUNCHER_WEBHOOK_LISTEN');
  return { port, close: () => closeServer(server, options.clock, CLOSE_GRACE_MS) };
}

/** The routes alone. */
export function webhookApp(options: WebhookOptions): Hono {
  const verify = webhookVerifier(options.keys);
  const app = new Hono();
  app.post('/webhook', (c) => receive(c, verify, options));
  app.get('/healthz', (c) => (options.healthy() ? c.text('ok\n') : c.text('unwell\n', 503)));
  app.all('/webhook', (c) => c.text('webhooks are sent by POST\n', 405, { Allow: 'POST' }));
  app.all('/healthz', (c) => c.text('ask by GET\n', 405, { Allow: 'GET, HEAD' }));
  app.notFound((c) => c.text('LiveKit sends its webhooks to /webhook\n', 404));
  app.onError((error, c) => {
    options.log.error('a webhook request failed', { reason: reasonOf(error) });
    return c.text('internal error\n', 500);
  });
  return app;
}

async function receive(c: Context, verify: Verify, options: WebhookOptions): Promise<Response> {
  const refuse = (status: 400 | 401 | 413, reason: string) => {
    options.log.event('webhook.receive', { status, reason }, 'warn');
    return c.text(`${reason}\n`, status);
  };
  const body = await readBody(c.req.raw, MAX_BODY_BYTES);
  if (body.outcome === 'too-large')
    return refuse(413, `the body has more than ${MAX_BODY_BYTES} bytes`);
  if (body.outcome === 'broken') return refuse(400, 'the body ended too early');
  if (body.text === '') return refuse(400, 'the body is empty');

  const verified = await verify(body.text, c.req.header('authorization'));
  if (verified.outcome === 'unsigned') return refuse(401, verified.reason);
  if (verified.outcome === 'malformed') return refuse(400, verified.reason);

  const nudge = toNudge(verified.event, options.taskAttribute);
  if (nudge) afterAnswer(options, nudge);
  options.log.event('webhook.receive', {
    webhook_event: nudge?.event ?? 'other',
    sid: verified.event.room?.sid,
    status: 200,
    reason: nudge ? 'nudged' : 'ignored',
  });
  return c.text(nudge ? 'ok\n' : 'ignored\n');
}

function afterAnswer({ nudge, log }: WebhookOptions, content: WebhookNudge): void {
  setImmediate(() => {
    try {
      nudge(content);
    } catch (error) {
      log.error('a webhook could not be noted', { sid: content.sid, reason: reasonOf(error) });
    }
  });
}
