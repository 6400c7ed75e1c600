/** An account on the fake of ECS, ready for launches, and drivers that know no other. */
import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { Driver, LaunchRequest, TaskKey } from '../../launcher/driver.ts';
import { type EcsDriverOptions, ecsDriver } from '../../launcher/drivers/ecs/driver.ts';
import type { Network } from '../../launcher/drivers/ecs/placement.ts';
import { AGENT_CONTAINER } from '../../launcher/drivers/ecs/request.ts';
import { FakeClock } from '../fakes/clock.ts';
import { type AccountOptions, CREDENTIALS, FakeEcs, inProcessHandler } from '../fakes/ecs/index.ts';
import { RecordedLog } from '../fakes/log.ts';

export const CLUSTER = 'rooms';
export const TEMPLATE = 'agent:1';
export const NETWORK: Network = {
  subnets: ['subnet-a', 'subnet-b'],
  securityGroups: ['sg-1'],
  assignPublicIp: true,
  capacityProviders: [],
};
/** By the fake's clock; longer than a queue's long poll. */
const ANSWER_TIMEOUT_MS = 30_000;

export interface EcsBed {
  readonly clock: FakeClock;
  readonly fake: FakeEcs;
  readonly log: RecordedLog;
  /** What the driver would send by itself. */
  readonly client: ECSClient;
  readonly options: EcsDriverOptions;
  driver(options?: Partial<EcsDriverOptions>): Promise<Driver>;
}

export function ecsBed(options: Partial<AccountOptions> = {}): EcsBed {
  const clock = new FakeClock();
  const fake = new FakeEcs({ clock, ...options });
  fake.addCluster(CLUSTER, { capacityProviders: ['FARGATE_SPOT', 'FARGATE'] });
  registerAgent(fake, 'agent');
  const log = new RecordedLog();
  const sdk = {
    region: fake.account.region,
    credentials: CREDENTIALS,
    requestHandler: inProcessHandler(fake, { requestTimeoutMs: ANSWER_TIMEOUT_MS }),
  };
  const place = { deployment: 'ours', cluster: CLUSTER, network: NETWORK, eventsQueueUrl: null };
  const all = { ...place, clock, log, sdk };
  return {
    clock,
    fake,
    log,
    client: new ECSClient({ ...sdk, maxAttempts: 1 }),
    options: all,
    driver: (some = {}) => ecsDriver({ ...all, ...some }),
  };
}

let warm: Promise<unknown> | undefined;

/** One real answer: the SDK is slow with its first, while a clock that stands still moves on. */
export function warmUp(): Promise<unknown> {
  return (warm ??= ecsBed().client.send(new ListTasksCommand({ cluster: CLUSTER })));
}

export function registerAgent(fake: FakeEcs, family: string): void {
  fake.register({
    family,
    networkMode: 'awsvpc',
    requiresCompatibilities: ['FARGATE'],
    cpu: '1024',
    memory: '2048',
    containerDefinitions: [{ name: AGENT_CONTAINER, image: 'agent:1' }],
  });
}

export function ecsRequest(key: TaskKey | string): LaunchRequest {
  const env = { A: 'a' };
  const size = { cpu: 1, memoryMiB: 2048 };
  return { key: key as TaskKey, template: TEMPLATE, ...size, profile: 'default', env };
}
