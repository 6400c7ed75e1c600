/**
 * One worker's WebSocket: judges what comes in, keeps the line alive, and ends once.
 *
 * LiveKit's JavaScript worker sends no pings, so the gateway does; a line that stays silent for two
 * of them is dead. The owner hears `ended` exactly once, at once when we close the socket, so that
 * nothing of a closed socket reaches anybody.
 */
import type { RegisterWorkerRequest } from '@livekit/protocol';
import type { WebSocket } from 'ws';
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { judgeFrame, type Violation } from './frames.ts';
import { encodeServer, type ServerFrame, type WorkerFrame } from './wire.ts';

/** From the open socket to `register`, as LiveKit's server has it. */
export const REGISTER_TIMEOUT_MS = 10_000;
export const PING_EVERY_MS = 15_000;
/** Pings in a row that may stay unanswered. */
const MISSED_PINGS_MAX = 2;
/** Bytes that may wait for a worker that does not read. */
const SEND_BUFFER_MAX_BYTES = 1024 * 1024;

/** How a socket ended. `broke-protocol`: it was closed for a frame that the worker sent. */
export type SocketEnd = 'closed' | 'broke-protocol';

export interface SocketOwner {
  registered(request: RegisterWorkerRequest): void;
  frame(frame: WorkerFrame): void;
  /** `reason`: why we closed it, or empty. */
  ended(end: SocketEnd, reason: string): void;
}

export class WorkerSocket {
  readonly key: TaskKey;
  readonly connectedAtMs: number;
  readonly #ws: WebSocket;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #owner: SocketOwner;
  #registeredAtMs: number | undefined;
  #open = true;
  #missedPings = 0;
  #cancelRegister: () => void;
  #cancelPing: () => void;

  constructor(key: TaskKey, ws: WebSocket, clock: Clock, log: Log, owner: SocketOwner) {
    this.key = key;
    this.connectedAtMs = clock.nowMs();
    this.#ws = ws;
    this.#clock = clock;
    this.#log = log;
    this.#owner = owner;
    this.#cancelRegister = clock.timer(REGISTER_TIMEOUT_MS, () =>
      this.close(1008, `no register message within ${REGISTER_TIMEOUT_MS} ms`),
    );
    this.#cancelPing = this.#schedulePing();
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on('pong', () => (this.#missedPings = 0));
    ws.on('error', (error) => this.#onError(error));
    ws.on('close', () => this.#end('closed'));
  }

  get registeredAtMs(): number | undefined {
    return this.#registeredAtMs;
  }

  send(frame: ServerFrame): void {
    if (!this.#open) return;
    this.#ws.send(encodeServer(frame));
    if (this.#ws.bufferedAmount > SEND_BUFFER_MAX_BYTES) this.drop('it does not read');
  }

  /** Closes with a code and a reason that the worker logs. */
  close(code: number, reason: string, end: SocketEnd = 'closed'): void {
    if (!this.#open) return;
    this.#log.debug('closing a worker socket', { task: this.key, code, reason });
    this.#ws.close(code, reason);
    this.#end(end, reason);
  }

  /** Cuts a line that is surely of no use any more. */
  drop(reason: string): void {
    if (this.#open) this.#log.info('dropped a worker socket', { task: this.key, reason });
    this.#ws.terminate();
    this.#end('closed', reason);
  }

  /** Resolves with whether the other end answers a ping within `timeoutMs`. */
  answers(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (alive: boolean) => {
        cancel();
        this.#ws.off('pong', pong);
        this.#ws.off('close', gone);
        resolve(alive);
      };
      const pong = () => settle(true);
      const gone = () => settle(false);
      const cancel = this.#clock.timer(timeoutMs, gone);
      this.#ws.on('pong', pong);
      this.#ws.on('close', gone);
      this.#ws.ping();
    });
  }

  #onMessage(data: unknown, isBinary: boolean): void {
    if (!this.#open) return;
    const judged = judgeFrame(data, isBinary, this.#registeredAtMs !== undefined);
    if ('violation' in judged) return this.#violated(judged.violation);
    if ('frame' in judged) return this.#owner.frame(judged.frame);
    this.#cancelRegister();
    this.#registeredAtMs = this.#clock.nowMs();
    this.#owner.registered(judged.register);
  }

  /** ws closes by itself on frames that break the WebSocket protocol or exceed the limit. */
  #onError(error: Error): void {
    const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
    if (!code.startsWith('WS_ERR_')) return;
    this.#warn('broke the WebSocket protocol', code);
    this.#end('broke-protocol', code);
  }

  #violated({ closeCode, reason }: Violation): void {
    this.#warn('was refused', reason);
    this.close(closeCode, reason, 'broke-protocol');
  }

  #warn(what: string, reason: string): void {
    if (this.#open)
      this.#log.warn(`a worker ${what}; its socket is closed`, { task: this.key, reason });
  }

  #schedulePing(): () => void {
    return this.#clock.timer(PING_EVERY_MS, () => {
      if (this.#missedPings >= MISSED_PINGS_MAX) return this.drop('it does not answer pings');
      this.#missedPings++;
      this.#ws.ping();
      this.#cancelPing = this.#schedulePing();
    });
  }

  #end(end: SocketEnd, reason = ''): void {
    if (!this.#open) return;
    this.#open = false;
    this.#cancelRegister();
    this.#cancelPing();
    this.#owner.ended(end, reason);
  }
}
