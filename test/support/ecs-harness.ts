/** The contract suite's hold on the fake of ECS: an account with two deployments in one cluster. */
import assert from 'node:assert/strict';
import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { engineName, type LaunchRequest, type TaskKey } from '../../launcher/driver.ts';
import { ecsDriver } from '../../launcher/drivers/ecs/driver.ts';
import { AGENT_CONTAINER, runTaskInput, startedBy } from '../../launcher/drivers/ecs/request.ts';
import type { Abilities, Harness } from '../contract/harness.ts';
import { FakeClock } from '../fakes/clock.ts';
import { type AccountOptions, CREDENTIALS, FakeEcs, inProcessHandler } from '../fakes/ecs/index.ts';
import { RecordedLog } from '../fakes/log.ts';

const CLUSTER = 'rooms';
const TEMPLATE = 'agent:1';
const PAUSE_MS = 1_000;
/** As the driver's own; by the fake's clock. */
const ANSWER_TIMEOUT_MS = 15_000;
const NETWORK = {
  subnets: ['subnet-a', 'subnet-b'],
  securityGroups: ['sg-1'],
  assignPublicIp: true,
  capacityProviders: [],
} as const;

export async function ecsHarness(options: Partial<AccountOptions> = {}): Promise<Harness> {
  const clock = new FakeClock();
  const fake = new FakeEcs({ clock, ...options });
  fake.addCluster(CLUSTER);
  // The second for the suite's request with other settings.
  for (const family of ['agent', `${TEMPLATE}.other`]) {
    fake.register({
      family,
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '1024',
      memory: '2048',
      containerDefinitions: [{ name: AGENT_CONTAINER, image: 'agent:1' }],
    });
  }
  const sdk = {
    region: fake.account.region,
    credentials: CREDENTIALS,
    requestHandler: inProcessHandler(fake, { requestTimeoutMs: ANSWER_TIMEOUT_MS }),
  };
  const answers = new Map<string, number | 'ignore'>();
  fake.account.onSigterm = ({ facts }) => {
    const answer = answers.get(facts.startedBy ?? '') ?? 143;
    return answer === 'ignore'
      ? { afterMs: Infinity, exitCode: 0 }
      : { afterMs: 0, exitCode: answer };
  };
  return {
    driver: (deployment = 'ours') =>
      ecsDriver({
        deployment,
        cluster: CLUSTER,
        network: NETWORK,
        eventsQueueUrl: null,
        clock,
        log: new RecordedLog(),
        sdk,
      }),
    request(key, { deployment = 'ours', onSigterm } = {}) {
      if (onSigterm !== undefined) answers.set(startedBy(deployment, key), onSigterm);
      return request(key);
    },
    pause: () => clock.advance(PAUSE_MS),
    pausesMax: 120,
    soonMs: 500,
    nowMs: () => clock.nowMs(),
    abilities: abilitiesOf(fake, clock, new ECSClient({ ...sdk, maxAttempts: 1 })),
    async [Symbol.asyncDispose]() {
      // The account goes with the harness.
    },
  };
}

function request(key: TaskKey): LaunchRequest {
  const env = { A: 'a' };
  return { key, template: TEMPLATE, cpu: 1, memoryMiB: 2048, profile: 'default', env };
}

function abilitiesOf(fake: FakeEcs, clock: FakeClock, client: ECSClient): Abilities {
  return {
    finish: async (task, code) => fake.finish(task.taskId, code),
    kill: async (task) => fake.finish(task.taskId, 137),
    lose: async (task) => fake.loseHost(task.taskId),
    exhaust: async (task) => fake.outOfMemory(task.taskId),
    leaveHalfDone: { cannot: 'RunTask makes and starts a task in one step' },
    async plantDamaged() {
      fake.plant({
        cluster: CLUSTER,
        taskDefinition: TEMPLATE,
        startedBy: startedBy('ours', 'no-task-key'),
      });
    },
    async takeName(key) {
      const place = { deployment: 'ours', cluster: CLUSTER, network: NETWORK };
      const input = { ...runTaskInput(place, request(key)), startedBy: 'somebody-else' };
      assert.equal(input.clientToken, engineName('ours', key));
      await client.send(new RunTaskCommand(input));
      // Whose it is shows only then.
      await clock.advance(fake.account.listLagMs);
    },
    makeOdd: async (task) => fake.change(task.taskId, { lastStatus: 'HIBERNATING' }),
    refusedRequest: async (key) => ({ ...request(key), template: 'missing:1' }),
    writeEnvFile: { cannot: "ECS takes no env file: secrets are the task definition's" },
    async seenEnv(task) {
      const [agent] = fake.task(task.taskId).overrides?.containerOverrides ?? [];
      const { environment = [] } = agent ?? {};
      return Object.fromEntries(environment.map(({ name = '', value = '' }) => [name, value]));
    },
    starts: async (key) =>
      fake
        .tasks()
        .filter((task) => task.startedBy === startedBy('ours', key))
        .filter(({ startedAt }) => startedAt !== undefined).length,
    breakEngine: async () => fake.faults.always('*', { kind: 'reset-before' }),
    hang: async () => fake.faults.always('*', { kind: 'hang-before' }),
    loseNextAnswer: async () => fake.faults.next('RunTask', { kind: 'reset-after' }),
    killLauncher: { cannot: 'all launchers of this harness are this process' },
  };
}
