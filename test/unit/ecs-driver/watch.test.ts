/** Hints: each change once, nothing of others, and no harm by whatever else is in the queue. */
import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import { changeOf, Newest } from '../../../launcher/drivers/ecs/event.ts';
import { failing, type Fault, type FakeQueue, serverError } from '../../fakes/ecs/index.ts';
import { CLUSTER, type EcsBed, ecsBed, TEMPLATE } from '../../support/ecs-bed.ts';

const event = (detail: unknown, source = 'aws.ecs') => JSON.stringify({ source, detail });
const OURS = { taskArn: 'arn:1', startedBy: 'ours/r-RM_a-1', version: 3 };

test.each<[string, string, object | null]>([
  ['a change', event(OURS), { taskArn: 'arn:1', version: 3 }],
  ["another deployment's", event({ ...OURS, startedBy: 'ours-2/r-RM_a-1' }), null],
  ["a service's", event({ ...OURS, startedBy: 'ecs-svc/1' }), null],
  ['of nobody', event({ taskArn: 'arn:1', version: 3 }), null],
  ['of another source', event(OURS, 'aws.ec2'), null],
  ['without a version', event({ ...OURS, version: '3' }), null],
  ['no detail', event(null), null],
  ['no object', '[1]', null],
  ['null', 'null', null],
  ['no JSON', '{"source":', null],
  ['nothing', '', null],
])('%s: %s', (_title, body, change) => expect(changeOf(body, 'ours')).toEqual(change));

it('takes the newest version of each task for news, and nothing twice', () => {
  const newest = new Newest();
  const news = (taskArn: string, version: number) => newest.isNews({ taskArn, version });
  expect([news('a', 2), news('a', 1), news('a', 2), news('b', 1), news('a', 3)]).toEqual([
    true,
    false,
    false,
    true,
    true,
  ]);
});

describe('a queue', () => {
  let watch: AsyncDisposable | undefined;
  let bed: EcsBed;
  let queue: FakeQueue;
  let hints = 0;

  async function watched(): Promise<EcsBed> {
    bed = ecsBed();
    queue = bed.fake.addQueue();
    hints = 0;
    const eventsQueueUrl = `https://sqs.us-east-1.amazonaws.com${queue.path}`;
    const driver = await bed.driver({ eventsQueueUrl });
    let polled = false;
    bed.fake.faults.decide = (action) => {
      polled ||= action === 'ReceiveMessage';
      return null;
    };
    watch = driver.watch?.(() => (hints += 1));
    // The SDK loads parts of itself with the first request.
    await vi.waitFor(() => expect(polled).toBe(true));
    return bed;
  }

  /** Lets a task's whole start pass, and as much more as it takes until the queue is empty. */
  async function emptied(): Promise<void> {
    const startMs = bed.clock.nowMs();
    for (let seconds = 0; seconds < 400; seconds += 1) {
      await bed.clock.advance(1_000);
      // Events are sent when somebody looks.
      bed.fake.tasks();
      if (queue.length === 0 && bed.clock.nowMs() > startMs + 60_000) return;
    }
    throw new Error(`the queue still has ${queue.length} messages`);
  }

  const run = (startedBy: string) =>
    bed.fake.plant({ cluster: CLUSTER, taskDefinition: TEMPLATE, startedBy });

  afterEach(async () => {
    await watch?.[Symbol.asyncDispose]();
    expect(bed.fake.violations).toEqual([]);
    // The last long poll of the fake itself ends by its own clock.
    await bed.clock.advance(30_000);
    expect(bed.clock.pending).toBe(0);
  });

  it('gives a hint of each change of our tasks, and is empty after that', async () => {
    await watched();
    run('ours/r-RM_a-1');
    await emptied();
    // Placed, pending, activating, running; what arrives together is one hint.
    expect(hints).toBeGreaterThan(0);
    expect(hints).toBeLessThanOrEqual(4);
  });

  it('gives none of what others do, and deletes it', async () => {
    await watched();
    run('theirs/r-RM_a-1');
    await emptied();
    expect(hints).toBe(0);
  });

  it('gives each once when events come twice and in any order', async () => {
    await watched();
    Object.assign(queue, { copies: 3, newestFirst: true });
    run('ours/r-RM_a-1');
    await emptied();
    expect(hints).toBeGreaterThan(0);
    expect(hints).toBeLessThanOrEqual(4);
  });

  it('deletes what nobody can read', async () => {
    await watched();
    for (const body of ['poison', '{}', 'null']) queue.send(body);
    run('ours/r-RM_a-1');
    await emptied();
    expect(hints).toBeGreaterThan(0);
    expect(hints).toBeLessThanOrEqual(4);
  });

  it.each<[string, Fault]>([
    ['no answer', { kind: 'hang-before' }],
    ['a reset', { kind: 'reset-before' }],
    ['HTML', { kind: 'html' }],
    ['an error', failing(serverError())],
  ])('comes back after %s, with a growing backoff, and says it once', async (_title, fault) => {
    const { clock, fake, log } = await watched();
    let polls = 0;
    fake.faults.decide = (action) => (action === 'ReceiveMessage' && (polls += 1) ? fault : null);
    await clock.advance(300_000);
    // After 1, 2, 4, 8, 16 s, and every 30 s from then on; each may take 30 s itself.
    expect(polls).toBeGreaterThan(5);
    expect(polls).toBeLessThan(16);
    fake.faults.decide = () => null;
    run('ours/r-RM_a-1');
    await emptied();
    expect(hints).toBeGreaterThan(0);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('does not delete what it did not take in, and takes it in when it comes again', async () => {
    const { fake } = await watched();
    fake.faults.next('DeleteMessage', { kind: 'reset-before' }, 3);
    run('ours/r-RM_a-1');
    await emptied();
    expect(hints).toBeGreaterThan(0);
    expect(hints).toBeLessThanOrEqual(4);
  });

  it('that is missing is named in the one line that says so', async () => {
    const { clock, fake, log } = await watched();
    fake.queues.clear();
    await clock.advance(60_000);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([
      expect.objectContaining({
        text: expect.stringContaining('LAUNCHER_ECS_EVENTS_QUEUE_URL'),
        fields: { reason: expect.stringMatching(/SQS queue https:.*QueueDoesNotExist/) },
      }),
    ]);
  });

  it('gives no hint once it is disposed of, and leaves nothing behind', async () => {
    const { clock } = await watched();
    await watch?.[Symbol.asyncDispose]();
    run('ours/r-RM_a-1');
    await clock.advance(60_000);
    await setImmediate();
    expect(hints).toBe(0);
  });
});

it('there are no hints without a queue', async () => {
  expect(await ecsBed().driver()).not.toHaveProperty('watch');
});
