/**
 * AwsJson1.1, without sockets: one request in, one outcome out. Both transports, `server.ts` and
 * `in-process.ts`, only carry this.
 */
import { createHash } from 'node:crypto';
import { type Action, type ActionInput, act, isAction } from './actions.ts';
import { EcsError, missingCredentials, ParameterError } from './errors.ts';
import type { Fault } from './faults.ts';
import type { FakeEcs } from './fake.ts';

export interface WireRequest {
  /** The `X-Amz-Target` header. */
  readonly target: string;
  /** The `Authorization` header. */
  readonly authorization: string | undefined;
  readonly body: string;
}

export type Outcome =
  /** `cut`: half of the body, then the connection breaks. */
  | { readonly kind: 'answer'; readonly answer: Answer; readonly cut: boolean }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' };

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ECS_TARGET = /^AmazonEC2ContainerServiceV20141113\.(\w+)$/;

export async function exchange(
  fake: FakeEcs,
  request: WireRequest,
  _signal: AbortSignal,
): Promise<Outcome> {
  const action = ECS_TARGET.exec(request.target)?.[1] ?? '';
  if (!isAction(action)) return answered(errorAnswer(unknownOperation(request.target)));
  const fault = fake.faults.take(action);
  const run = () => ecsAnswer(fake, action, request);
  return fault ? faulted(fault, run) : answered(run());
}

function ecsAnswer(fake: FakeEcs, action: Action, request: WireRequest): Answer {
  const { account } = fake;
  try {
    if (!request.authorization) throw missingCredentials();
    const input = parse(request.body);
    fake.calls.push({ action, input, atMs: account.nowMs });
    return jsonAnswer(200, act(account, action, input));
  } catch (error) {
    if (!(error instanceof EcsError)) throw error;
    if (error instanceof ParameterError) fake.violations.push(`${action}: ${error.message}`);
    return errorAnswer(error);
  }
}

function faulted(fault: Fault, run: () => Answer): Outcome {
  switch (fault.kind) {
    case 'reset-before':
      return { kind: 'reset' };
    case 'reset-after':
      run();
      return { kind: 'reset' };
    case 'hang-before':
      return { kind: 'hang' };
    case 'hang-after':
      run();
      return { kind: 'hang' };
    case 'truncated':
      return { kind: 'answer', answer: run(), cut: true };
    case 'html':
      return answered(htmlAnswer(fault.status ?? 503));
    case 'error': {
      if (fault.acted) run();
      const answer = errorAnswer(fault.error);
      const { retryAfterSeconds } = fault;
      if (retryAfterSeconds === undefined) return answered(answer);
      const headers = { ...answer.headers, 'retry-after': String(retryAfterSeconds) };
      return answered({ ...answer, headers });
    }
  }
}

function answered(answer: Answer): Outcome {
  return { kind: 'answer', answer, cut: false };
}

function parse(body: string): ActionInput {
  try {
    return JSON.parse(body) as ActionInput;
  } catch (cause) {
    throw new EcsError('SerializationException', String(cause));
  }
}

function unknownOperation(target: string): EcsError {
  return new EcsError('UnknownOperationException', `no operation ${target}`);
}

function errorAnswer({ type, message, status, members }: EcsError): Answer {
  return jsonAnswer(status, { __type: type, message, ...members });
}

function jsonAnswer(status: number, body: object): Answer {
  const text = JSON.stringify(body, epochSeconds);
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': requestId(text) },
    body: text,
  };
}

function htmlAnswer(status: number): Answer {
  const headers = { 'content-type': 'text/html' };
  return { status, headers, body: `<html><body><h1>${status}</h1></body></html>` };
}

/** Times are seconds of Unix time in this protocol. `this` still holds what `toJSON` made a text. */
function epochSeconds(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key];
  return raw instanceof Date ? raw.getTime() / 1000 : value;
}

/** A function of the answer, so that runs repeat to the byte. */
function requestId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
