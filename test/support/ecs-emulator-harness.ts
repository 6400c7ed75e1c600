/**
 * The contract suite's hold on the emulator of ECS: a cluster of its own with two deployments in it,
 * tasks that are real containers, and a way to the emulator that can fail.
 */
import { setTimeout as realDelay } from 'node:timers/promises';
import type { Driver, LaunchRequest, ObservedTask, TaskKey } from '../../launcher/driver.ts';
import { ecsDriver } from '../../launcher/drivers/ecs/driver.ts';
import { startedBy } from '../../launcher/drivers/ecs/request.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import type { Abilities, Deployment, Harness, RequestOptions } from '../contract/harness.ts';
import { RecordedLog } from '../fakes/log.ts';
import { startApiProxy } from './api-proxy.ts';
import { Cleanup } from './cleanup.ts';
import { docker, outputOf, seenEnv, shell, type TestImage, uniqueName } from './docker-engine.ts';
import { type EcsCluster, ecsCluster, SECURITY_GROUPS, SUBNETS } from './ecs-cluster.ts';
import { EMULATOR_CREDENTIALS, EMULATOR_REGION, type Ministack } from './ministack.ts';

const PAUSE_MS = 50;
const TOKENS = 'the emulator ignores client tokens: a repeat is a second task';
const STOPPED_CODE = 'the emulator gives each task that was stopped the exit code 0';

/** Clauses that the driver leaves to ECS, and the emulator does not keep. */
const UNFAITHFUL = {
  'a repeat by another launcher is accepted with the same task': TOKENS,
  'launches of one key at once, by several launchers, are one task': TOKENS,
  'a repeat after the end is accepted with the ended task': TOKENS,
  'stop ends a live task; a repeat says that there is nothing to stop': STOPPED_CODE,
  'SIGTERM comes first: the task may end in its own way': STOPPED_CODE,
};

/** How calls fare on their way to the emulator. */
type Way = 'open' | 'broken' | 'hanging';

/** Asks nothing of the emulator before its first driver is wanted. */
export function ecsEmulatorHarness(emulator: () => Ministack, image: TestImage): Harness {
  const bench = new EcsBench(emulator, image);
  return {
    driver: (deployment = 'ours') => bench.driver(deployment),
    request: (key, options) => bench.request(key, options),
    pause: () => realDelay(PAUSE_MS),
    pausesMax: 200,
    soonMs: 2_000,
    nowMs: () => Date.now(),
    abilities: abilitiesOf(bench),
    unfaithful: UNFAITHFUL,
    [Symbol.asyncDispose]: () => bench.end(),
  };
}

class EcsBench {
  readonly family = uniqueName('agent');
  readonly deployments = { ours: uniqueName('ours'), theirs: uniqueName('theirs') };
  way: Way = 'open';
  readonly #emulator: () => Ministack;
  readonly #image: TestImage;
  readonly #cleanup = new Cleanup();
  #places: Promise<{ readonly cluster: EcsCluster; readonly endpoint: string }> | undefined;

  constructor(emulator: () => Ministack, image: TestImage) {
    this.#emulator = emulator;
    this.#image = image;
  }

  async driver(deployment: Deployment): Promise<Driver> {
    const { cluster, endpoint } = await this.places();
    const driver = await ecsDriver({
      deployment: this.deployments[deployment],
      cluster: cluster.name,
      network: {
        subnets: SUBNETS,
        securityGroups: SECURITY_GROUPS,
        assignPublicIp: false,
        capacityProviders: [],
      },
      eventsQueueUrl: null,
      clock: systemClock,
      log: new RecordedLog(),
      sdk: { endpoint, region: EMULATOR_REGION, credentials: EMULATOR_CREDENTIALS },
    });
    this.#cleanup.use(driver);
    // The emulator's list does not lag.
    return { ...driver, traits: { ...driver.traits, listLagMs: 0 } };
  }

  /** SIGTERM alone would not end a container's first process. */
  request(key: TaskKey, { onSigterm = 143 }: RequestOptions = {}): LaunchRequest {
    const env = { ON_SIGTERM: String(onSigterm) };
    const template = `${this.family}:1`;
    return { key, template, cpu: 1, memoryMiB: 2048, profile: 'default', env };
  }

  places() {
    return (this.#places ??= this.#open());
  }

  async containerOf({ taskId }: ObservedTask): Promise<string> {
    return (await this.places()).cluster.containerOf(taskId);
  }

  end(): Promise<void> {
    return this.#cleanup.run();
  }

  async #open() {
    await this.#image.ready();
    const cluster = this.#cleanup.use(await ecsCluster(this.#emulator()));
    await cluster.register(this.#image.name, this.family);
    const proxy = this.#cleanup.use(await startApiProxy(this.#emulator().url, () => this.#pass()));
    return { cluster, endpoint: proxy.url.replace('ws', 'http') };
  }

  async #pass(): Promise<void> {
    if (this.way === 'broken') throw new Error('the emulator is away');
    if (this.way === 'hanging') await new Promise(() => {});
  }
}

function abilitiesOf(bench: EcsBench): Abilities {
  return {
    async finish(task, code) {
      await shell(await bench.containerOf(task), `echo ${code} >/tmp/new && mv /tmp/new /tmp/exit`);
    },
    write: { cannot: 'ECS keeps nothing of what a program writes' },
    async kill(task) {
      await docker.getContainer(await bench.containerOf(task)).kill();
    },
    lose: { cannot: 'to the emulator a container that was removed is one that still runs' },
    exhaust: { cannot: 'the emulator limits no memory' },
    leaveHalfDone: { cannot: 'RunTask is one step, of which no half can be left' },
    async plantDamaged() {
      const { cluster } = await bench.places();
      await cluster.run(`${bench.family}:1`, startedBy(bench.deployments.ours, 'no task key'));
    },
    takeName: { cannot: TOKENS },
    makeOdd: { cannot: 'the emulator knows the documented states alone' },
    async refusedRequest(key) {
      return { ...bench.request(key), template: `${bench.family}:99` };
    },
    writeEnvFile: {
      cannot: 'ECS takes no file of variables: the driver refuses a launch with one',
    },
    seenEnv: async (task) => seenEnv(await bench.containerOf(task)),
    async starts(key) {
      const { cluster } = await bench.places();
      const tasks = await cluster.liveTasks(startedBy(bench.deployments.ours, key));
      const outputs = tasks.map(async (task) => outputOf(await cluster.containerOf(task)));
      return (await Promise.all(outputs)).join('').split('-- started').length - 1;
    },
    async breakEngine() {
      bench.way = 'broken';
    },
    async hang() {
      bench.way = 'hanging';
    },
    loseNextAnswer: { cannot: TOKENS },
    killLauncher: { cannot: TOKENS },
  };
}
