/**
 * AwsJson1.1, without sockets: one request in, one outcome out. Both transports, `server.ts` and
 * `in-process.ts`, only carry this.
 */
import { createHash } from 'node:crypto';
import type { DeleteMessageRequest, ReceiveMessageRequest } from '@aws-sdk/client-sqs';
import { type Action, type ActionInput, act, isAction } from './actions.ts';
import {
  EcsError,
  missingCredentials,
  ParameterError,
  queueNotFound,
  wrongRegion,
} from './errors.ts';
import type { Fault, QueueAction } from './faults.ts';
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

const TARGET = /^(AmazonEC2ContainerServiceV20141113|AmazonSQS)\.(\w+)$/;
/** `Credential=<key>/<day>/<Region>/<service>/aws4_request`. */
const CREDENTIAL = /Credential=[^/]+\/\d+\/([^/]+)\//;

type Run = () => Promise<Answer>;

/** `signal` aborts when the caller is gone, which ends a long poll. */
export async function exchange(
  fake: FakeEcs,
  request: WireRequest,
  signal: AbortSignal,
): Promise<Outcome> {
  const [, service, action = ''] = TARGET.exec(request.target) ?? [];
  if (service === 'AmazonSQS' && isQueueAction(action)) {
    return faulted(fake.faults.take(action), () => queueAnswer(fake, action, request, signal));
  }
  if (service !== 'AmazonSQS' && isAction(action)) {
    return faulted(fake.faults.take(action), () => ecsAnswer(fake, action, request));
  }
  const unknown = new EcsError('UnknownOperationException', `no operation ${request.target}`);
  return answered(errorAnswer(unknown));
}

function ecsAnswer(fake: FakeEcs, action: Action, request: WireRequest): Promise<Answer> {
  return policed(fake, action, request, () => {
    const input = parse(request.body) as ActionInput;
    fake.calls.push({ action, input, atMs: fake.account.nowMs });
    return act(fake.account, action, input);
  });
}

function queueAnswer(
  fake: FakeEcs,
  action: QueueAction,
  request: WireRequest,
  signal: AbortSignal,
): Promise<Answer> {
  return policed(fake, action, request, () => {
    const input = parse(request.body) as ReceiveMessageRequest & DeleteMessageRequest;
    const queue = fake.queues.get(new URL(input.QueueUrl ?? '', 'http://sqs').pathname);
    if (!queue) throw queueNotFound();
    fake.account.permissions.check(`sqs:${action}`, queue.arn);
    return action === 'ReceiveMessage' ? queue.receive(input, signal) : queue.delete(input);
  });
}

/** Answers errors as the services do, and notes those that are the caller's own fault. */
async function policed(
  fake: FakeEcs,
  action: string,
  { authorization }: WireRequest,
  run: () => object | Promise<object>,
): Promise<Answer> {
  try {
    if (!authorization) throw missingCredentials();
    if (CREDENTIAL.exec(authorization)?.[1] !== fake.account.region) throw wrongRegion();
    return jsonAnswer(200, await run());
  } catch (error) {
    if (!(error instanceof EcsError)) throw error;
    if (error instanceof ParameterError) fake.violations.push(`${action}: ${error.message}`);
    return errorAnswer(error);
  }
}

async function faulted(fault: Fault | null, run: Run): Promise<Outcome> {
  switch (fault?.kind) {
    case undefined:
      return answered(await run());
    case 'reset-before':
      return { kind: 'reset' };
    case 'reset-after':
      await run();
      return { kind: 'reset' };
    case 'hang-before':
      return { kind: 'hang' };
    case 'hang-after':
      await run();
      return { kind: 'hang' };
    case 'truncated':
      return { kind: 'answer', answer: await run(), cut: true };
    case 'html':
      return answered(htmlAnswer(fault.status ?? 503));
    case 'error':
      if (fault.acted) await run();
      return answered(errorAnswer(fault.error, fault.retryAfterSeconds));
  }
}

function answered(answer: Answer): Outcome {
  return { kind: 'answer', answer, cut: false };
}

function isQueueAction(name: string): name is QueueAction {
  return name === 'ReceiveMessage' || name === 'DeleteMessage';
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new EcsError('SerializationException', String(cause));
  }
}

function errorAnswer(error: EcsError, retryAfterSeconds?: number): Answer {
  const { type, message, status, members } = error;
  const answer = jsonAnswer(status, { __type: type, message, ...members });
  if (retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfterSeconds) } };
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
