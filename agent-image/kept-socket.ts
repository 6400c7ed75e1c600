/**
 * A WebSocket that is dialled again whenever it is lost, until it is closed here: at most five
 * seconds apart, and without a hot loop against a server that accepts and then hangs up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { MAX_FRAME_BYTES } from '../launcher/gateway/wire.ts';
import { type RunnerLog, thrown } from './log.ts';

/** Waits between dials: doubled from the first to the last. */
const REDIAL_FIRST_MS = 500;
const REDIAL_LAST_MS = 5_000;
const HANDSHAKE_LIMIT_MS = 10_000;
/** From the open socket to `settled`. */
const SETTLE_LIMIT_MS = 10_000;
/** A socket on which nothing at all came from one ping to the next is dead. */
const PING_EVERY_MS = 10_000;
const CLOSE_LIMIT_MS = 500;

/** The wait before redial number `tries`, from 1 on; `random` in [0, 1) spreads many tasks. */
export function redialDelayMs(tries: number, random: number): number {
  const ms = Math.min(REDIAL_FIRST_MS * 2 ** (tries - 1), REDIAL_LAST_MS);
  return ms * (0.5 + random / 2);
}

export interface SocketHandlers {
  /** Asked before each dial. */
  headers(): Promise<Record<string, string>>;
  open(): void;
  /** A socket that was open is open no more. */
  closed(): void;
  /** Null for a text message. */
  frame(bytes: Uint8Array | null): void;
  /** The dial was answered by an HTTP status instead of an upgrade. */
  refused(status: number): void;
}

export class KeptSocket {
  readonly #url: string;
  readonly #log: RunnerLog;
  readonly #handlers: SocketHandlers;
  readonly #closing = new AbortController();
  #socket: WebSocket | null = null;
  /** Dials since a socket was last `settled`. */
  #tries = 0;
  #settling: NodeJS.Timeout | undefined;

  /** Dials at once. */
  constructor(url: string, log: RunnerLog, handlers: SocketHandlers) {
    this.#url = url;
    this.#log = log;
    this.#handlers = handlers;
    void this.#keep();
  }

  /** Sends when there is an open socket; else the message is lost. */
  send(bytes: Uint8Array): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  /** The other side speaks our protocol: the socket stays, and the next redial is quick again. */
  settled(): void {
    clearTimeout(this.#settling);
    this.#tries = 0;
  }

  /** Sends what waits, closes, and dials no more. */
  async close(): Promise<void> {
    this.#closing.abort();
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN) {
      const closed = new Promise<void>((resolve) => {
        socket.once('close', () => resolve());
      });
      socket.close(1000);
      await Promise.race([closed, sleep(CLOSE_LIMIT_MS, undefined, { ref: false })]);
    }
    socket?.terminate();
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const headers = await this.#handlers.headers();
      if (signal.aborted) return;
      await this.#connection(headers);
      this.#tries += 1;
      const waitMs = redialDelayMs(this.#tries, Math.random());
      await sleep(waitMs, undefined, { signal }).catch(() => {});
    }
  }

  /** One socket, from the dial to its end. */
  #connection(headers: Record<string, string>): Promise<void> {
    const socket = new WebSocket(this.#url, {
      headers,
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      maxPayload: MAX_FRAME_BYTES,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    return new Promise((resolve) => {
      let stopPings: (() => void) | undefined;
      socket.on('open', () => {
        this.#settling = setTimeout(() => socket.terminate(), SETTLE_LIMIT_MS);
        stopPings = keepAlive(socket);
        this.#handlers.open();
      });
      socket.on('message', (data, isBinary) => {
        this.#handlers.frame(isBinary && Buffer.isBuffer(data) ? data : null);
      });
      socket.on('unexpected-response', (request, response) => {
        request.destroy();
        this.#socket = null;
        this.#handlers.refused(response.statusCode ?? 0);
        resolve();
      });
      socket.on('error', (error) => {
        if (!this.#closing.signal.aborted) this.#log.warn('gateway socket failed', thrown(error));
      });
      socket.on('close', () => {
        clearTimeout(this.#settling);
        stopPings?.();
        if (stopPings && !this.#closing.signal.aborted) this.#handlers.closed();
        resolve();
      });
    });
  }
}

/** Pings, and ends a socket that has gone silent; the returned function stops it. */
function keepAlive(socket: WebSocket): () => void {
  let heard = true;
  const hear = () => {
    heard = true;
  };
  socket.on('message', hear).on('ping', hear).on('pong', hear);
  const timer = setInterval(() => {
    if (!heard) return socket.terminate();
    heard = false;
    socket.ping();
  }, PING_EVERY_MS);
  return () => clearInterval(timer);
}
