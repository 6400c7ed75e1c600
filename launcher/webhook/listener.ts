/**
 * The webhook listener: verify, say where to look, answer. LiveKit sends a room's webhooks one after
 * the other and waits for each answer without a time limit, so nothing here waits for any work; and
 * it repeats a webhook on 5xx only, so a bad one is answered with 4xx.
 *
 * This is the one listener that strangers may reach, so it trusts nothing that is not signed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../lib/clock.ts';
import { CountedWarning } from '../lib/counted-warning.ts';
import { type Answer, type HttpLimits, httpServer } from '../lib/http-server.ts';
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
  const server = httpServer(webhookRoutes(options), options.limits);
  const port = await listen(server, options.listen, 'LAUNCHER_WEBHOOK_LISTEN');
  return { port, close: () => closeServer(server, options.clock, CLOSE_GRACE_MS) };
}

/** The routes alone. */
export function webhookRoutes(options: WebhookOptions): Answer {
  const check = signatureCheck(options.keys);
  const parts = { options, check, refusals: refusalWarnings(options) };
  return (request, response) => {
    const path = pathOf(request.url ?? '');
    if (path === '/webhook') {
      if (request.method === 'POST') return void receive(request, response, parts);
      return reply(response, 405, 'webhooks are sent by POST', { Allow: 'POST' });
    }
    if (path !== '/healthz') return reply(response, 404, 'LiveKit sends its webhooks to /webhook');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return reply(response, 405, 'ask by GET', { Allow: 'GET, HEAD' });
    }
    return options.healthy() ? reply(response, 200, 'ok') : reply(response, 503, 'unwell');
  };
}

/** Of a target as it is sent to servers, or to proxies (`http://host/webhook`), one of which is lazy. */
function pathOf(target: string): string {
  return target.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0]!;
}

/** One line. What was not read of the request's body is dropped by Node, in the request's time. */
function reply(
  response: ServerResponse,
  status: number,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = `${line}\n`;
  const length = Buffer.byteLength(body);
  const type = 'text/plain; charset=UTF-8';
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': length, ...headers });
  response.end(body);
}

/** Answers a webhook. Never rejects. */
async function receive(
  request: IncomingMessage,
  response: ServerResponse,
  parts: Parts,
): Promise<void> {
  try {
    const { status, line } = await judge(request, parts);
    reply(response, status, line);
  } catch (error) {
    parts.options.log.error('a webhook request failed', { reason: reasonOf(error) });
    reply(response, 500, 'internal error');
  }
}

/** The length, the token, and only then the body: what is not signed takes no memory. */
async function judge(request: IncomingMessage, parts: Parts) {
  const { options, check, refusals } = parts;
  const refuse = (status: RefusalStatus, reason: string) => {
    refusals[status].note(reason);
    return { status, line: reason };
  };
  const tooLarge = () => refuse(413, `the body has more than ${MAX_BODY_BYTES} bytes`);
  if (declaresMore(request, MAX_BODY_BYTES)) return tooLarge();
  const signature = await check(request.headers.authorization);
  if ('refused' in signature) return refuse(401, signature.refused);
  const body = await readBody(request, MAX_BODY_BYTES);
  if (body.outcome === 'too-large') return tooLarge();
  if (body.outcome === 'broken') return refuse(400, 'the body ended too early');
  if (body.bytes.length === 0) return refuse(400, 'the body is empty');
  const opened = openBody(body.bytes, signature);
  if (opened.outcome !== 'genuine') {
    return refuse(opened.outcome === 'unsigned' ? 401 : 400, opened.reason);
  }

  const nudge = toNudge(opened.event, options.taskAttribute);
  if (nudge) afterAnswer(options, nudge);
  const fields = {
    webhook_event: nudge?.event ?? 'other',
    sid: opened.event.room?.sid,
    status: 200,
    reason: nudge ? 'nudged' : 'ignored',
  };
  // Most are of tracks: kept, they would push out what happened to rooms.
  options.log.event('webhook.receive', fields, nudge ? 'info' : 'debug');
  return { status: 200, line: nudge ? 'ok' : 'ignored' };
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
