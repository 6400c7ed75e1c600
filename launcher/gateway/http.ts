/** The gateway as an HTTP server: its plain answers, and refusals of upgrades. */
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Time for a request's headers, so that slow handshakes are cut off. */
export const HEADERS_TIMEOUT_MS = 10_000;

/** Why a worker is not let in: an HTTP status and one line for its log. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** Whether a request's target is the workers' door; what workers make of a trailing slash counts. */
export function isAgentPath(target: string | undefined): boolean {
  return /^\/{1,2}agent\/?(?:\?.*)?$/.test(target ?? '');
}

/**
 * Refuses an upgrade. Workers retry a refused dial more and more slowly, but a socket that was
 * accepted and then closed at once: so whoever must stay out is refused here.
 */
export function refuseUpgrade(socket: Duplex, { status, reason }: Refusal): void {
  const body = `${reason}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'connection: close',
    'content-type: text/plain; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers plain requests: `GET /healthz`, and 404 for the rest. The body is never read. */
export function answerPlain(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('connection', 'close');
  const path = request.url?.split('?', 1)[0] ?? '';
  if (path === '/healthz' && request.method === 'GET') return send(response, 200, 'ok');
  send(response, 404, 'not found: workers open a WebSocket at /agent');
}

function send(response: ServerResponse, status: number, line: string): void {
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  response.writeHead(status).end(`${line}\n`);
}
