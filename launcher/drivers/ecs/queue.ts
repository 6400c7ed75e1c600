/** The SQS queue of task state changes: what it can be asked, one request each. */
import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { clientConfig, type SdkOptions } from './calls.ts';
import { driverErrorOf } from './errors.ts';

/** At once; the most that SQS gives. */
export const MESSAGES_MAX = 10;
/** A long poll: the queue answers sooner if it has a message. The most that SQS takes. */
const WAIT_SECONDS = 20;
const ANSWER_TIMEOUT_MS = (WAIT_SECONDS + 10) * 1_000;

export class EventQueue {
  readonly #url: string;
  readonly #client: SQSClient;

  constructor(url: string, sdk: SdkOptions) {
    this.#url = url;
    // Otherwise the queue's host would be asked, whatever endpoint is configured.
    const config = { ...clientConfig(sdk, ANSWER_TIMEOUT_MS), useQueueUrlAsEndpoint: false };
    this.#client = new SQSClient(config);
  }

  /** Resolves with none when there was none for a while. Rejects with `DriverError`. */
  async receive(abortSignal: AbortSignal): Promise<readonly Message[]> {
    const limits = { MaxNumberOfMessages: MESSAGES_MAX, WaitTimeSeconds: WAIT_SECONDS };
    const command = new ReceiveMessageCommand({ QueueUrl: this.#url, ...limits });
    const { Messages = [] } = await this.#asked(this.#client.send(command, { abortSignal }));
    return Messages;
  }

  /** One that is not deleted comes again. Rejects with `DriverError`. */
  async delete({ ReceiptHandle }: Message, abortSignal: AbortSignal): Promise<void> {
    const command = new DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle });
    await this.#asked(this.#client.send(command, { abortSignal }));
  }

  close(): void {
    this.#client.destroy();
  }

  #asked<T>(call: Promise<T>): Promise<T> {
    return call.catch((error: unknown) => {
      throw driverErrorOf(error, `SQS queue ${this.#url}`);
    });
  }
}
