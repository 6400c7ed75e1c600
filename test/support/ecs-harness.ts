/** The contract suite's hold on the fake of ECS: an account with two deployments in one cluster. */
import assert from 'node:assert/strict';
import { RunTaskCommand } from '@aws-sdk/client-ecs';
import { engineName } from '../../launcher/driver.ts';
import { runTaskInput, startedBy } from '../../launcher/drivers/ecs/request.ts';
import type { Abilities, Harness } from '../contract/harness.ts';
import { type AccountOptions, serve } from '../fakes/ecs/index.ts';
import {
  CLUSTER,
  type EcsBed,
  ecsBed,
  ecsRequest,
  NETWORK,
  registerAgent,
  TEMPLATE,
  warmUp,
} from './ecs-bed.ts';

const PAUSE_MS = 2_000;

export interface EcsHarnessOptions extends Partial<AccountOptions> {
  /** By sockets and the SDK's own handler of requests, instead of within this process. */
  readonly overPort?: true;
}

export async function ecsHarness({
  overPort,
  ...options
}: EcsHarnessOptions = {}): Promise<Harness> {
  await warmUp();
  const bed = ecsBed(options);
  const { clock, fake } = bed;
  const server = overPort ? await serve(fake) : null;
  const { requestHandler: _, ...sdk } = bed.options.sdk ?? {};
  const reached = server ? { sdk: { ...sdk, endpoint: server.url } } : {};
  // For the suite's request with other settings.
  registerAgent(fake, `${TEMPLATE}.other`);
  const answers = new Map<string, number | 'ignore'>();
  fake.account.onSigterm = ({ facts }) => {
    const answer = answers.get(facts.startedBy ?? '') ?? 143;
    return answer === 'ignore'
      ? { afterMs: Infinity, exitCode: 0 }
      : { afterMs: 0, exitCode: answer };
  };
  return {
    driver: (deployment = 'ours') => bed.driver({ deployment, ...reached }),
    request(key, { deployment = 'ours', onSigterm } = {}) {
      if (onSigterm !== undefined) answers.set(startedBy(deployment, key), onSigterm);
      return ecsRequest(key);
    },
    pause: () => clock.advance(PAUSE_MS),
    pausesMax: 120,
    soonMs: 2_000,
    nowMs: () => clock.nowMs(),
    abilities: abilitiesOf(bed),
    async [Symbol.asyncDispose]() {
      // The account goes with the harness.
      await server?.[Symbol.asyncDispose]();
    },
  };
}

function abilitiesOf({ fake, clock, client }: EcsBed): Abilities {
  return {
    finish: async (task, code) => fake.finish(task.taskId, code),
    write: { cannot: 'ECS keeps nothing of what a program writes' },
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
      const input = { ...runTaskInput(place, ecsRequest(key)), startedBy: 'somebody-else' };
      assert.equal(input.clientToken, engineName('ours', key));
      await client.send(new RunTaskCommand(input));
      // Whose it is shows only then.
      await clock.advance(fake.account.listLagMs);
    },
    makeOdd: async (task) => fake.change(task.taskId, { lastStatus: 'HIBERNATING' }),
    refusedRequest: async (key) => ({ ...ecsRequest(key), template: 'missing:1' }),
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
    killLauncher: {
      cannot: 'nothing of a launcher reaches ECS but its calls: a kill shows nowhere',
    },
  };
}
