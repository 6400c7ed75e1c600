/**
 * An SQS standard queue that an EventBridge rule feeds with the account's task events: as much of SQS
 * as a reader of hints meets. It delivers at least once and in no order that could be relied on.
 *
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
 */
import { createHash } from 'node:crypto';
import type { DeleteMessageRequest, Message, ReceiveMessageRequest } from '@aws-sdk/client-sqs';
import type { EcsAccount } from './account.ts';
import { EcsError, ParameterError } from './errors.ts';
import { taskEvent } from './events.ts';

const RECEIVED_MAX = 10;
const WAIT_MAX_SECONDS = 20;
const VISIBILITY_MAX_SECONDS = 43_200;
const VISIBILITY_DEFAULT_SECONDS = 30;
/** A waiting reader looks this often for what was planned since it began to wait. */
const LOOK_AGAIN_MS = 1_000;

interface Queued {
  readonly id: string;
  readonly body: string;
  readonly sentAtMs: number;
  visibleAtMs: number;
  receives: number;
}

export class FakeQueue {
  /** Of its URL, below whatever host. */
  readonly path: string;
  readonly arn: string;
  /** How often each event arrives. */
  copies = 1;
  /** What was sent last is received first. */
  newestFirst = false;
  readonly #account: EcsAccount;
  readonly #messages: Queued[] = [];
  readonly #readers = new Set<() => void>();
  #lastId = 0;

  constructor(account: EcsAccount, name: string) {
    this.#account = account;
    this.path = `/${account.accountId}/${name}`;
    this.arn = `arn:aws:sqs:${account.region}:${account.accountId}:${name}`;
    account.watchers.add((task, version) => {
      const body = taskEvent(account, task, version);
      for (let copy = 0; copy < this.copies; copy += 1) this.send(body);
    });
  }

  /** Messages that were not deleted, hidden ones too. */
  get length(): number {
    return this.#messages.length;
  }

  /** Puts anything in: poison, or what a rule of somebody else would send. */
  send(body: string): void {
    const { nowMs } = this.#account;
    const id = createHash('md5')
      .update(`${this.path} ${(this.#lastId += 1)}`)
      .digest('hex');
    this.#messages.push({ id, body, sentAtMs: nowMs, visibleAtMs: nowMs, receives: 0 });
    for (const wake of this.#readers) wake();
  }

  /** Waits for a message as long as the request says, or until `signal` aborts. */
  async receive(
    input: ReceiveMessageRequest,
    signal: AbortSignal,
  ): Promise<{ Messages?: Message[] }> {
    const { MaxNumberOfMessages = 1, WaitTimeSeconds = 0 } = input;
    const { VisibilityTimeout = VISIBILITY_DEFAULT_SECONDS } = input;
    range('MaxNumberOfMessages', MaxNumberOfMessages, 1, RECEIVED_MAX);
    range('WaitTimeSeconds', WaitTimeSeconds, 0, WAIT_MAX_SECONDS);
    range('VisibilityTimeout', VisibilityTimeout, 0, VISIBILITY_MAX_SECONDS);
    const untilMs = this.#account.nowMs + WaitTimeSeconds * 1000;
    for (;;) {
      const Messages = this.#take(MaxNumberOfMessages, VisibilityTimeout);
      if (Messages.length > 0) return { Messages };
      if (signal.aborted || this.#account.nowMs >= untilMs) return {};
      await this.#change(untilMs, signal);
    }
  }

  delete({ ReceiptHandle = '' }: DeleteMessageRequest): object {
    const at = this.#messages.findIndex(({ id }) => ReceiptHandle.startsWith(`${id}/`));
    if (at >= 0) this.#messages.splice(at, 1);
    else if (!/^[0-9a-f]{32}\/\d+$/.test(ReceiptHandle)) {
      throw new EcsError('ReceiptHandleIsInvalid', 'The input receipt handle is invalid.');
    }
    return {};
  }

  #take(max: number, visibilitySeconds: number): Message[] {
    this.#account.settle();
    const { nowMs } = this.#account;
    const visible = this.#messages.filter(({ visibleAtMs }) => visibleAtMs <= nowMs);
    const ordered = this.newestFirst ? visible.toReversed() : visible;
    return ordered.slice(0, max).map((message) => {
      message.visibleAtMs = nowMs + visibilitySeconds * 1000;
      message.receives += 1;
      return {
        MessageId: message.id,
        ReceiptHandle: `${message.id}/${message.receives}`,
        Body: message.body,
        MD5OfBody: createHash('md5').update(message.body).digest('hex'),
        Attributes: {
          SentTimestamp: String(message.sentAtMs),
          ApproximateReceiveCount: String(message.receives),
        },
      };
    });
  }

  /** Until a message may have come, or the time is up. */
  #change(untilMs: number, signal: AbortSignal): Promise<void> {
    const { clock, nowMs } = this.#account;
    const visibleAtMs = this.#messages.map((message) => message.visibleAtMs);
    const atMs = Math.min(
      untilMs,
      this.#account.nextChangeAtMs(),
      nowMs + LOOK_AGAIN_MS,
      ...visibleAtMs,
    );
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#readers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.timer(atMs - nowMs, done);
      this.#readers.add(done);
      signal.addEventListener('abort', done);
    });
  }
}

function range(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new ParameterError(
    `Value ${value} for parameter ${name} is invalid. Reason: Must be between ${min} and ${max}, ` +
      'if provided.',
    'InvalidParameterValue',
  );
}
