/** The queue of task events on the emulator, which sends none by itself: a test tells them. */
import { CreateQueueCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Cleanup } from './cleanup.ts';
import { uniqueName } from './docker-engine.ts';
import { EMULATOR_CREDENTIALS, EMULATOR_REGION, type Ministack } from './ministack.ts';

export interface EmulatorEvents {
  readonly queueUrl: string;
  /** Sends what EventBridge would of a task that has changed, as far as it is read. */
  tell(task: { readonly taskArn: string; readonly startedBy: string }): Promise<void>;
}

export async function emulatorEvents(
  cleanup: Cleanup,
  { url }: Ministack,
): Promise<EmulatorEvents> {
  const sqs = new SQSClient({
    endpoint: url,
    region: EMULATOR_REGION,
    credentials: EMULATOR_CREDENTIALS,
    useQueueUrlAsEndpoint: false,
  });
  cleanup.defer(() => sqs.destroy());
  const made = await sqs.send(new CreateQueueCommand({ QueueName: uniqueName('events') }));
  const queueUrl = made.QueueUrl ?? '';
  return {
    queueUrl,
    async tell(task) {
      const detail = { ...task, lastStatus: 'STOPPED', version: 1 };
      const event = { source: 'aws.ecs', 'detail-type': 'ECS Task State Change', detail };
      const MessageBody = JSON.stringify(event);
      await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody }));
    },
  };
}
