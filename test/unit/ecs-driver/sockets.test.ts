/** The SDK's own handler of requests, on a port: bounded, sent once, and where the environment says. */
import { DescribeClustersCommand, ECSClient } from '@aws-sdk/client-ecs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { clientConfig } from '../../../launcher/drivers/ecs/calls.ts';
import { CREDENTIALS, type EcsServer, serve } from '../../fakes/ecs/index.ts';
import { CLUSTER, type EcsBed, ecsBed, TEMPLATE } from '../../support/ecs-bed.ts';

const REGION = 'us-east-1';
const CALM = new AbortController().signal;

let bed: EcsBed;
let server: EcsServer;
beforeEach(async () => {
  bed = ecsBed();
  server = await serve(bed.fake);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
});

function client(answerTimeoutMs?: number): ECSClient {
  const sdk = { region: REGION, credentials: CREDENTIALS, endpoint: server.url };
  return new ECSClient(clientConfig(sdk, answerTimeoutMs));
}

it('a request that gets no answer fails in time', async () => {
  bed.fake.faults.always('*', { kind: 'hang-before' });
  const asked = client(50).send(new DescribeClustersCommand({ clusters: [CLUSTER] }));
  await expect(asked).rejects.toMatchObject({ name: 'TimeoutError' });
});

it.each(['reset-before', 'truncated', 'html'] as const)('%s: sent once', async (kind) => {
  let calls = 0;
  bed.fake.faults.decide = () => {
    calls += 1;
    return { kind };
  };
  const asked = client().send(new DescribeClustersCommand({ clusters: [CLUSTER] }));
  await expect(asked).rejects.toThrow();
  expect(calls).toBe(1);
});

it('ECS and the queue are where AWS_ENDPOINT_URL says, whatever host the queue has', async () => {
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  const queue = bed.fake.addQueue();
  const driver = await bed.driver({
    eventsQueueUrl: `https://sqs.elsewhere.example${queue.path}`,
    sdk: { region: REGION, credentials: CREDENTIALS },
  });
  let hints = 0;
  const watch = driver.watch?.(() => (hints += 1));
  const startedBy = 'ours/r-RM_a-1';
  bed.fake.plant({ cluster: CLUSTER, taskDefinition: TEMPLATE, startedBy });
  expect(await driver.list(CALM)).toHaveLength(1);
  await vi.waitFor(() => expect(hints).toBe(1));
  await watch?.[Symbol.asyncDispose]();
  await driver[Symbol.asyncDispose]();
});
