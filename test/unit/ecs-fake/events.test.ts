/**
 * Task events on their way through SQS.
 *
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html (form; `version` of
 * duplicates), API_ReceiveMessage.html and API_DeleteMessage.html of the SQS API reference.
 */
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type ReceiveMessageRequest,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import {
  type AccountOptions,
  CREDENTIALS,
  inProcessHandler,
  serve,
} from '../../fakes/ecs/index.ts';
import { bed as ecsBed, CLUSTER, FAMILY, MINUTE_MS } from './bed.ts';

interface TaskEvent {
  readonly 'detail-type': string;
  readonly detail: { taskArn: string; lastStatus: string; version: number };
}

function bed(options: Partial<AccountOptions> = {}) {
  const ecs = ecsBed(options);
  const queue = ecs.fake.addQueue();
  const { region } = ecs.fake.account;
  const requestHandler = inProcessHandler(ecs.fake);
  const sqs = new SQSClient({ region, credentials: CREDENTIALS, maxAttempts: 1, requestHandler });
  const QueueUrl = `https://sqs.us-east-1.amazonaws.com${queue.path}`;
  const receive = async (input: Partial<ReceiveMessageRequest> = {}) => {
    const all = { QueueUrl, MaxNumberOfMessages: 10, ...input };
    return (await sqs.send(new ReceiveMessageCommand(all))).Messages ?? [];
  };
  const events = async () =>
    (await receive()).map(({ Body = '' }) => (JSON.parse(Body) as TaskEvent).detail);
  const remove = async (ReceiptHandle: string | undefined) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  return { ...ecs, queue, receive, events, remove };
}

describe('task events', () => {
  it('tell each change in order, with a rising version', async () => {
    const { clock, fake, start, events } = bed();
    await start();
    await clock.advance(MINUTE_MS);
    const [task] = fake.tasks();
    fake.finish(task!.taskArn!, 0);
    await clock.advance(MINUTE_MS);
    const seen = (await events()).map(({ version, lastStatus }) => `${version} ${lastStatus}`);
    expect(seen).toEqual([
      '1 PROVISIONING',
      '2 PENDING',
      '3 ACTIVATING',
      '4 RUNNING',
      '5 DEPROVISIONING',
      '6 STOPPED',
    ]);
  });

  it('look as EventBridge delivers them: ISO times, no tags', async () => {
    const { start, receive } = bed();
    const taskArn = await start({
      tags: [{ key: 'a', value: 'b' }],
      startedBy: 'default/r-RM_1-1',
    });
    const [message] = await receive();
    const event: unknown = JSON.parse(message!.Body!);
    expect(event).toMatchObject({
      version: '0',
      'detail-type': 'ECS Task State Change',
      source: 'aws.ecs',
      account: '111122223333',
      region: 'us-east-1',
      time: '2023-11-14T22:13:20Z',
      resources: [taskArn],
      detail: { taskArn, startedBy: 'default/r-RM_1-1', createdAt: '2023-11-14T22:13:20.000Z' },
    });
    expect(event).not.toHaveProperty('detail.tags');
  });

  it('are doubled, reordered, foreign or poison on request', async () => {
    const { clock, fake, queue, start, events, receive } = bed();
    queue.copies = 2;
    queue.newestFirst = true;
    await start();
    await clock.advance(15_000);
    expect((await events()).map(({ version }) => version)).toEqual([2, 2, 1, 1]);
    queue.copies = 1;
    const [foreign] = fake.plant({ cluster: CLUSTER, taskDefinition: FAMILY });
    expect((await events()).map(({ taskArn }) => taskArn)).toContain(foreign!.taskArn);
    queue.send('{not json');
    expect((await receive())[0]!.Body).toBe('{not json');
  });
});

describe('the queue', () => {
  it('hides what was received for the visibility timeout, then gives it again', async () => {
    const { clock, queue, receive, remove } = bed();
    queue.send('one');
    const [first] = await receive();
    expect(await receive()).toEqual([]);
    await clock.advance(30_000);
    const [again] = await receive();
    expect(again!.MessageId).toBe(first!.MessageId);
    await remove(again!.ReceiptHandle);
    await clock.advance(30_000);
    expect(await receive()).toEqual([]);
    expect(queue.length).toBe(0);
  });

  it('lets a reader wait for the next change', async () => {
    const { clock, receive, start } = bed({ timings: { provisioningMs: 300 } });
    await start();
    await receive();
    const waiting = receive({ WaitTimeSeconds: 20 });
    await clock.advance(300);
    expect(await waiting).toHaveLength(1);
    const waitingLonger = receive({ WaitTimeSeconds: 2 });
    await clock.advance(2_000);
    expect(await waitingLonger).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('wakes a reader that waits when something comes', async () => {
    const { clock, receive, start } = bed();
    const waiting = receive({ WaitTimeSeconds: 20 });
    await start();
    expect(await waiting).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it.each([
    { MaxNumberOfMessages: 11 },
    { MaxNumberOfMessages: 0 },
    { WaitTimeSeconds: 21 },
    { VisibilityTimeout: 43_201 },
  ])('polices its reader: %o', async (input) => {
    const { fake, receive } = bed();
    await expect(receive(input)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
    expect(fake.violations).toHaveLength(1);
  });

  it('knows no other queue, and no receipt of its own making', async () => {
    const { receive, remove } = bed();
    const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/111122223333/other';
    await expect(receive({ QueueUrl })).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
    await expect(remove('x')).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
  });

  it('is there over HTTP, too', async () => {
    const { fake, queue } = bed();
    await using server = await serve(fake);
    const sqs = new SQSClient({
      region: fake.account.region,
      credentials: CREDENTIALS,
      endpoint: server.url,
      useQueueUrlAsEndpoint: false,
    });
    queue.send('one');
    const QueueUrl = `${server.url}${queue.path}`;
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    expect(Messages).toMatchObject([{ Body: 'one' }]);
    sqs.destroy();
  });
});
