/**
 * LiveKit's server API for user code: the calls that an agent makes with the URL, key and secret of
 * its environment arrive at the gateway, and some of them are passed on, for the task's own room
 * alone, with the project's key and a token for that one call.
 *
 * In order: a token signed with the task's secret, a method that a task may call, not too many calls
 * at a time, a body that can be read, a room that is live under its name at this moment, a request
 * that names it. LiveKit's API knows rooms by name, and names come back: the look right before the
 * call keeps a task of an earlier life out, but for the instant in between.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TaskKey } from '../driver.ts';
import { unlessAborted, withAny } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { type Log, reasonOf } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import type { CallGrant } from '../livekit/token.ts';
import { verifyCallToken, type CallToken } from './credentials.ts';
import type { GatewayHost } from './ports.ts';
import { callRoomService } from './server-api-call.ts';
import type { ApiRequest, Encoding } from './server-api-codec.ts';
import { ApiError, apiError } from './server-api-error.ts';
import { CallLimits, LIMITS_IN_WORDS } from './server-api-limits.ts';
import { calledMethod, encodingOf, readRequest } from './server-api-request.ts';

/** Look and call together; below the 10 s that LiveKit's clients wait. */
export const CALL_TIMEOUT_MS = 8_000;

export interface ServerApiPorts {
  readonly secrets: readonly Secret[];
  readonly deployment: string;
  readonly host: Pick<GatewayHost, 'roomOf'>;
  /** The real server's URL as the launcher sees it, `http(s)://`. */
  readonly livekitUrl: string;
  /** Signs the token for one call with the project's key and secret. */
  readonly mintCallToken: (grant: CallGrant, roomName: string) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** A call as far as it was understood; its wide event tells it. */
interface Call {
  task?: TaskKey;
  method?: string;
  encoding?: Encoding;
}

export class ServerApi {
  readonly #ports: ServerApiPorts;
  readonly #limits: CallLimits;
  readonly #closing = new AbortController();

  constructor(ports: ServerApiPorts) {
    this.#ports = ports;
    this.#limits = new CallLimits(ports.clock);
  }

  /** Gives up the calls that are under way. */
  close(): void {
    this.#closing.abort(apiError('unavailable', 'the launcher is ending: try again'));
  }

  /** Answers a request. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAtMs = this.#ports.clock.nowMs();
    const call: Call = {};
    response.setHeader('connection', 'close');
    try {
      const { encoding, answer } = await this.#admitted(request, call);
      response.setHeader('content-type', `application/${encoding}`);
      response.writeHead(200).end(answer);
      this.#report(call, startedAtMs, null);
    } catch (error) {
      const told = error instanceof ApiError ? error : this.#unexpected(error);
      response.setHeader('content-type', 'application/json');
      response.writeHead(told.status).end(told.body);
      this.#report(call, startedAtMs, told);
    }
  }

  async #admitted(request: IncomingMessage, call: Call) {
    const { secrets, deployment } = this.#ports;
    const token = await verifyCallToken(secrets, deployment, request.headers.authorization);
    if ('refused' in token) throw apiError('unauthenticated', token.refused);
    call.task = token.key;
    const { name, method } = calledMethod(request);
    call.method = name;
    const end = this.#limits.begin(token.key);
    if (end === null) throw apiError('resource_exhausted', LIMITS_IN_WORDS);
    try {
      const encoding = encodingOf(request);
      call.encoding = encoding;
      const read = await readRequest(request, method, encoding);
      const answer = await this.#inTime((signal) =>
        this.#passOn(name, method.grant, token, read, signal),
      );
      return { encoding, answer: method.write(answer, encoding) };
    } finally {
      end();
    }
  }

  async #passOn(
    method: string,
    grant: CallGrant,
    token: CallToken,
    request: ApiRequest,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const { host, livekitUrl, mintCallToken } = this.#ports;
    const room = await host.roomOf(token.key, signal);
    if (room.answer === 'gone') throw apiError('not_found', room.reason);
    if (room.answer === 'not-yet') throw apiError('unavailable', `${room.reason}: try again`);
    const { name: roomName, sid } = room;
    const refusal = request.refusalFor({ key: token.key, sid, roomName });
    if (refusal !== null) throw apiError('permission_denied', refusal);
    // As LiveKit has it: a token that user code made for somebody else is good for what it says.
    const granted =
      token.grants[grant] && (grant !== 'roomAdmin' || token.grants.room === roomName);
    if (!granted) throw apiError('permission_denied', `the token must grant ${grant} for its room`);
    const callToken = await mintCallToken(grant, roomName);
    const call = { url: livekitUrl, method, token: callToken, body: request.bytes };
    return callRoomService(call, signal);
  }

  async #inTime<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const message = `no answer within ${CALL_TIMEOUT_MS} ms: the call may have been made or not`;
    const cancel = this.#ports.clock.timer(CALL_TIMEOUT_MS, () =>
      late.abort(apiError('deadline_exceeded', message)),
    );
    try {
      return await withAny([late.signal, this.#closing.signal], (signal) =>
        unlessAborted(signal, () => work(signal)),
      );
    } finally {
      cancel();
    }
  }

  #unexpected(error: unknown): ApiError {
    this.#ports.log.error('a server API call failed', { reason: reasonOf(error) });
    return apiError('internal', 'the launcher could not make this call: its log says why');
  }

  #report(call: Call, startedAtMs: number, error: ApiError | null): void {
    const { clock, log } = this.#ports;
    const outcome = error?.code ?? 'ok';
    const reason = error?.by === 'launcher' ? error.message : undefined;
    const duration_ms = clock.nowMs() - startedAtMs;
    const level = outcome === 'internal' ? 'warn' : 'debug';
    log.event('task.call', { ...call, outcome, reason, duration_ms }, level);
  }
}
