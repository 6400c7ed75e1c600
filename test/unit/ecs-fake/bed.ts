/** What the fake's own tests stand on: a cluster, a task definition, and clients of the real SDK. */
import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  type ListTasksRequest,
  RunTaskCommand,
  type RunTaskRequest,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
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
/** Longer than a start takes, and than an end with the default stop timeout. */
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
const REQUEST_TIMEOUT_MS = 25_000;

export function bed(options: Partial<AccountOptions> = {}) {
  const clock = new FakeClock();
  const fake = new FakeEcs({ clock, ...options });
  fake.addCluster(CLUSTER, { capacityProviders: ['FARGATE', 'FARGATE_SPOT'] });
  fake.register(definition());
  const client = clientOf(fake);
  const run = async (input: Partial<RunTaskRequest> = {}) =>
    client.send(new RunTaskCommand(request(input)));
  /** Runs one task and returns its ARN. */
  const start = async (input: Partial<RunTaskRequest> = {}): Promise<string> =>
    (await run(input)).tasks![0]!.taskArn!;
  const see = async (taskArn: string) => {
    const input = { cluster: CLUSTER, tasks: [taskArn], include: ['TAGS' as const] };
    return (await client.send(new DescribeTasksCommand(input))).tasks![0]!;
  };
  const list = async (input: ListTasksRequest = {}): Promise<string[]> =>
    (await client.send(new ListTasksCommand({ cluster: CLUSTER, ...input }))).taskArns!;
  const stop = async (task: string, reason?: string) =>
    client.send(new StopTaskCommand({ cluster: CLUSTER, task, reason }));
  return { clock, fake, client, run, start, see, list, stop };
}

/** Without retries, which would wait by the real clock. */
export function clientOf(fake: FakeEcs): ECSClient {
  return new ECSClient({
    region: fake.account.region,
    credentials: CREDENTIALS,
    maxAttempts: 1,
    requestHandler: inProcessHandler(fake, { requestTimeoutMs: REQUEST_TIMEOUT_MS }),
  });
}

export function definition(stopTimeoutSeconds?: number) {
  return {
    family: FAMILY,
    networkMode: 'awsvpc' as const,
    requiresCompatibilities: ['FARGATE' as const],
    cpu: '1024',
    memory: '2048',
    taskRoleArn: 'arn:aws:iam::111122223333:role/agent',
    containerDefinitions: [{ name: 'agent', image: 'agent:1', stopTimeout: stopTimeoutSeconds }],
  };
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
