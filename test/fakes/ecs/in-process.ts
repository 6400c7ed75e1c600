/**
 * The fake as a `requestHandler` of the SDK: no sockets and no timers but the fake's clock, so that a
 * simulation repeats to the byte. What breaks looks as it does from the SDK's own handler for Node.
 */
import { Readable } from 'node:stream';
import type { FakeEcs } from './fake.ts';
import { exchange, type Outcome } from './wire.ts';

/** What the SDK hands over, as far as it counts here. */
interface SdkRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

interface SdkResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

export interface InProcessOptions {
  /** As `requestTimeout` with `throwOnRequestTimeout`; without it only an abort ends a hang. */
  readonly requestTimeoutMs?: number;
}

export function inProcessHandler(fake: FakeEcs, { requestTimeoutMs }: InProcessOptions = {}) {
  return {
    async handle(
      request: SdkRequest,
      { abortSignal }: { readonly abortSignal?: AbortSignal } = {},
    ): Promise<{ response: SdkResponse }> {
      const gone = givenUp(fake, abortSignal, requestTimeoutMs);
      try {
        const body = textOf(request.body);
        const target = request.headers['x-amz-target'] ?? '';
        const { authorization } = request.headers;
        const exchanged = exchange(fake, { target, authorization, body }, gone.signal);
        const outcome = await Promise.race([exchanged, gone.rejects]);
        if (outcome.kind === 'hang') return await gone.rejects;
        return { response: responseOf(outcome) };
      } finally {
        gone.forget();
      }
    },
    // What the SDK wants of every handler; there is nothing to set.
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
  };
}

/** Rejects when the caller aborts or its time is up. */
function givenUp(fake: FakeEcs, abortSignal?: AbortSignal, requestTimeoutMs?: number) {
  const gone = new AbortController();
  const rejects = new Promise<never>((_, reject) => {
    gone.signal.addEventListener('abort', () => reject(gone.signal.reason as Error));
  });
  // Nobody may be waiting for it any more.
  rejects.catch(() => {});
  const aborted = () => gone.abort(named(new Error('Request aborted'), 'AbortError'));
  if (abortSignal?.aborted) aborted();
  abortSignal?.addEventListener('abort', aborted);
  const timedOut = () => gone.abort(named(broken('ETIMEDOUT', 'requestTimeout'), 'TimeoutError'));
  const cancel =
    requestTimeoutMs === undefined
      ? () => {}
      : fake.account.clock.timer(requestTimeoutMs, timedOut);
  const forget = () => {
    cancel();
    abortSignal?.removeEventListener('abort', aborted);
  };
  return { rejects, signal: gone.signal, forget };
}

function responseOf(outcome: Exclude<Outcome, { kind: 'hang' }>): SdkResponse {
  if (outcome.kind === 'reset') {
    throw named(broken('ECONNRESET', 'read ECONNRESET'), 'TimeoutError');
  }
  const { status, headers, body } = outcome.answer;
  const readable = outcome.cut ? Readable.from(halfOf(body)) : Readable.from([Buffer.from(body)]);
  return { statusCode: status, headers: { ...headers }, body: readable };
}

async function* halfOf(body: string) {
  yield Buffer.from(body.slice(0, body.length / 2));
  throw broken('ECONNRESET', 'aborted');
}

/** The SDK warns of callers that use its bytes as a text. */
function textOf(body: string | Uint8Array = ''): string {
  return typeof body === 'string' ? body : new TextDecoder().decode(body);
}

function broken(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

function named(error: Error, name: string): Error {
  return Object.assign(error, { name });
}
