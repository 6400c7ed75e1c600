/**
 * What goes wrong on the way, by both transports: the SDK must see the same.
 *
 * Errors: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html. Words of
 * AccessDeniedException: "Troubleshoot access denied error messages" of the IAM user guide.
 */
import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { afterEach, describe, expect, it } from 'vitest';
import {
  CREDENTIALS,
  type EcsServer,
  expiredCredentials,
  type FakeEcs,
  failing,
  type Fault,
  serve,
  serverError,
  throttled,
  unknownAccessKey,
} from '../../fakes/ecs/index.ts';
import { waitFor } from '../../support/wait.ts';
import { bed, clientOf, request } from './bed.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function overHttp(fake: FakeEcs, options: { region?: string; maxAttempts?: number } = {}) {
  const server: EcsServer = await serve(fake);
  const client = new ECSClient({
    region: fake.account.region,
    endpoint: server.url,
    credentials: CREDENTIALS,
    maxAttempts: 1,
    ...options,
  });
  opened.push(server, { [Symbol.asyncDispose]: async () => client.destroy() });
  return client;
}

const TRANSPORTS = {
  'over HTTP': (fake: FakeEcs) => overHttp(fake),
  'in this process': async (fake: FakeEcs) => clientOf(fake),
};

const runTask = () => new RunTaskCommand(request({ clientToken: 'one' }));

describe.each(Object.entries(TRANSPORTS))('faults %s', (_, connect) => {
  async function meet(fault: Fault) {
    const { fake } = bed();
    const client = await connect(fake);
    fake.faults.next('RunTask', fault);
    const error: unknown = await client.send(runTask()).catch((e: unknown) => e);
    const tasks = fake.tasks().length;
    // The fault was one: a repeat finds what the first call did.
    expect((await client.send(runTask())).tasks).toHaveLength(1);
    expect(fake.tasks()).toHaveLength(1);
    return { error, tasks };
  }

  it('reset the connection before the service acts', async () => {
    const { error, tasks } = await meet({ kind: 'reset-before' });
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'ECONNRESET' });
    expect(tasks).toBe(0);
  });

  it('reset it after', async () => {
    const { error, tasks } = await meet({ kind: 'reset-after' });
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'ECONNRESET' });
    expect(tasks).toBe(1);
  });

  it('cut the answer', async () => {
    const { error, tasks } = await meet({ kind: 'truncated' });
    expect(error).toMatchObject({
      message: expect.stringContaining('aborted'),
      code: 'ECONNRESET',
    });
    expect(tasks).toBe(1);
  });

  it('answer HTML', async () => {
    const { error, tasks } = await meet({ kind: 'html' });
    expect(error).toMatchObject({ name: 'SyntaxError', $metadata: { httpStatusCode: 503 } });
    expect(tasks).toBe(0);
  });

  it('answer a server error, before or after the service acted', async () => {
    const expected = { name: 'ServerException', $metadata: { httpStatusCode: 500 } };
    const before = await meet(failing(serverError()));
    expect(before.error).toMatchObject(expected);
    expect(before.tasks).toBe(0);
    const after = await meet({ kind: 'error', error: serverError(), acted: true });
    expect(after.error).toMatchObject(expected);
    expect(after.tasks).toBe(1);
  });

  it('throttle, with a time to wait', async () => {
    const { error } = await meet(throttled(2));
    expect(error).toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 400 },
    });
    const { $response } = error as { $response: { headers: Record<string, string> } };
    expect($response.headers['retry-after']).toBe('2');
  });

  it.each(['hang-before', 'hang-after'] as const)(
    'never answer (%s) until an abort',
    async (kind) => {
      const { fake } = bed();
      const client = await connect(fake);
      fake.faults.next('RunTask', { kind });
      const abort = new AbortController();
      const sent = client.send(runTask(), { abortSignal: abort.signal });
      const answers = expect(sent).rejects.toMatchObject({ name: 'AbortError' });
      const acts = kind === 'hang-after' ? 1 : 0;
      await waitFor('the service acted', () => fake.tasks().length === acts);
      abort.abort();
      await answers;
      expect(fake.tasks()).toHaveLength(acts);
    },
  );

  it('refuse credentials that are unknown or expired', async () => {
    const { fake } = bed();
    const client = await connect(fake);
    for (const error of [unknownAccessKey(), expiredCredentials()]) {
      fake.faults.always('*', failing(error));
      await expect(client.send(runTask())).rejects.toMatchObject({ name: error.type });
    }
    fake.faults.always('*', null);
    expect((await client.send(runTask())).tasks).toHaveLength(1);
  });
});

describe('faults', () => {
  it('come as chance has it, which is the test’s own', async () => {
    const { fake, run } = bed();
    fake.faults.decide = (action) => (action === 'RunTask' ? { kind: 'reset-before' } : null);
    await expect(run()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('end a hang at the request timeout, by the fake’s clock', async () => {
    const { clock, fake, run } = bed();
    fake.faults.next('RunTask', { kind: 'hang-after' });
    const answers = expect(run()).rejects.toMatchObject({
      name: 'TimeoutError',
      code: 'ETIMEDOUT',
    });
    await clock.advance(25_000);
    await answers;
    expect(clock.pending).toBe(0);
  });

  it('are overcome by the SDK’s own retries, with the same token', async () => {
    const { fake } = bed();
    const client = await overHttp(fake, { maxAttempts: 3 });
    fake.faults.next('RunTask', { kind: 'reset-after' }, 2);
    expect((await client.send(new RunTaskCommand(request()))).tasks).toHaveLength(1);
    expect(fake.tasks()).toHaveLength(1);
    expect(fake.calls).toHaveLength(3);
  });

  it('refuse a signature for another Region', async () => {
    const { fake } = bed();
    const client = await overHttp(fake, { region: 'eu-west-1' });
    await expect(client.send(new RunTaskCommand(request()))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    });
  });
});
