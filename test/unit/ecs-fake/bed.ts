/** What the fake's own tests stand on: a cluster, a task definition, and clients of the real SDK. */
import { ECSClient, RunTaskCommand, type RunTaskRequest } from '@aws-sdk/client-ecs';
import { FakeClock } from '../../fakes/clock.ts';
import {
  type AccountOptions,
  CREDENTIALS,
  FakeEcs,
  inProcessHandler,
} from '../../fakes/ecs/index.ts';

export const CLUSTER = 'rooms';
export const FAMILY = 'room-agent';
export const SUBNETS = ['subnet-a', 'subnet-b'];

export function bed(options: Partial<AccountOptions> = {}) {
  const clock = new FakeClock();
  const fake = new FakeEcs({ clock, ...options });
  fake.addCluster(CLUSTER, { capacityProviders: ['FARGATE', 'FARGATE_SPOT'] });
  fake.register({
    family: FAMILY,
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    cpu: '1024',
    memory: '2048',
    containerDefinitions: [{ name: 'agent', image: 'agent:1' }],
  });
  const client = clientOf(fake);
  const run = (input: Partial<RunTaskRequest> = {}) =>
    client.send(new RunTaskCommand(request(input)));
  return { clock, fake, client, run };
}

/** Without retries, which would wait by the real clock. */
export function clientOf(fake: FakeEcs): ECSClient {
  return new ECSClient({
    region: fake.account.region,
    credentials: CREDENTIALS,
    maxAttempts: 1,
    requestHandler: inProcessHandler(fake, { requestTimeoutMs: 5_000 }),
  });
}

/** A request that breaks no limit. */
export function request(input: Partial<RunTaskRequest> = {}): RunTaskRequest {
  return {
    cluster: CLUSTER,
    taskDefinition: FAMILY,
    launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration: { subnets: SUBNETS } },
    ...input,
  };
}
