/**
 * The webhook listener: verify, say where to look, answer. LiveKit sends a room's webhooks one after
 * the other and waits for each answer without a time limit, so nothing here waits for any work; and
 * it repeats a webhook on 5xx only, so a bad one is answered with 4xx.
 *
 * This is the one listener that strangers may reach, so it trusts nothing that is not signed.
 */
import { type Context, Hono } from 'hono';
import type { Clock } from '../lib/clock.ts';
import { CountedWarning } from '../lib/counted-warning.ts';
import { type HttpLimits, httpServer } from '../lib/http-server.ts';
import { closeServer, listen, type ListenAddress } from '../lib/listen.ts';
import { type Log, reasonOf } from '../lib/log.ts';
import { declaresMore, readBody } from './body.ts';
import { toNudge, type WebhookNudge } from './nudge.ts';
import { type CheckSignature, openBody, signatureCheck, type WebhookKey } from './verify.ts';

/** Far above any webhook of LiveKit's: the largest carries a room's metadata. */
const MAX_BODY_BYTES = 1024 * 1024;
/** For requests that are open when the listener closes. */
const CLOSE_GRACE_MS = 2000;

export interface WebhookOptions {
  readonly keys: readonly WebhookKey[];
  /** The participant attribute that names an agent's task. */
  readonly taskAttribute: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after the answer; must only take note. */
  readonly nudge: (nudge: WebhookNudge) => void;
  /** Whether the launcher's process is well, for `/healthz`. */
  readonly healthy: () => boolean;
}

export interface WebhookListenerOptions extends WebhookOptions {
  readonly listen: ListenAddress;
  readonly limits?: HttpLimits;
}

export interface WebhookListener {
  readonly port: number;
  /** Stops accepting; open requests get a short time to finish. */
  close(): Promise<void>;
}

type RefusalStatus = 400 | 401 | 413;
type Refusals = Readonly<Record<RefusalStatus, CountedWarning>>;

interface Parts {
  readonly options: WebhookOptions;
  readonly check: CheckSignature;
  readonly refusals: Refusals;
}

/** Rejects with `ListenError` when LAUNCHER_WEBHOOK_LISTEN cannot be opened. */
export async function createWebhookListener(
  options: WebhookListenerOptions,
): Promise<WebhookListener> {
  const server = httpServer(webhookApp(options).fetch, options.limits);
  const port = await listen(server, options.listen, 'LAUNCHER_WEBHOOK_LISTEN');
  return { port, close: () => closeServer(server, options.clock, CLOSE_GRACE_MS) };
}

/** The routes alone. */
export function webhookApp(options: WebhookOptions): Hono {
  const check = signatureCheck(options.keys);
  const parts = { options, check, refusals: refusalWarnings(options) };
  const app = new Hono();
  app.post('/webhook', (c) => receive(c, parts));
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

/** The length, the token, and only then the body: what is not signed takes no memory. */
async function receive(c: Context, parts: Parts): Promise<Response> {
  const { options, check, refusals } = parts;
  const refuse = (status: RefusalStatus, reason: string) => {
    refusals[status].note(reason);
    return c.text(`${reason}\n`, status);
  };
  const tooLarge = () => refuse(413, `the body has more than ${MAX_BODY_BYTES} bytes`);
  if (declaresMore(c.req.raw, MAX_BODY_BYTES)) return tooLarge();
  const signature = await check(c.req.header('authorization'));
  if ('refused' in signature) return refuse(401, signature.refused);
  const body = await readBody(c.req.raw, MAX_BODY_BYTES);
  if (body.outcome === 'too-large') return tooLarge();
  if (body.outcome === 'broken') return refuse(400, 'the body ended too early');
  if (body.bytes.length === 0) return refuse(400, 'the body is empty');
  const opened = openBody(body.bytes, signature);
  if (opened.outcome !== 'genuine') {
    return refuse(opened.outcome === 'unsigned' ? 401 : 400, opened.reason);
  }

  const nudge = toNudge(opened.event, options.taskAttribute);
  if (nudge) afterAnswer(options, nudge);
  options.log.event('webhook.receive', {
    webhook_event: nudge?.event ?? 'other',
    sid: opened.event.room?.sid,
    status: 200,
    reason: nudge ? 'nudged' : 'ignored',
  });
  return c.text(nudge ? 'ok\n' : 'ignored\n');
}

/** Strangers can cause refusals at will, so that each reason is said once a minute, counted. */
function refusalWarnings({ clock, log }: WebhookOptions): Refusals {
  const warning = (status: RefusalStatus) =>
    new CountedWarning(clock, (fields) =>
      log.event('webhook.receive', { status, ...fields }, 'warn'),
    );
  return { 400: warning(400), 401: warning(401), 413: warning(413) };
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
