/**
 * The contract suite's hold on a real Docker engine: two deployments of its own, launchers that are
 * processes of the system and reach the engine through a proxy that can fail.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as realDelay } from 'node:timers/promises';
import { engineName, type LaunchRequest, type TaskKey } from '../../launcher/driver.ts';
import { labelsOf, LABELS } from '../../launcher/drivers/docker/labels.ts';
import type { Abilities, Deployment, Harness, RequestOptions } from '../contract/harness.ts';
import {
  docker,
  outputOf,
  removeContainer,
  removeDeployment,
  seenEnv,
  shell,
  type TestImage,
  uniqueName,
} from './docker-engine.ts';
import { type EngineProxy, engineProxy } from './engine-proxy.ts';
import { type RemoteDriver, remoteDriver } from './remote-driver.ts';

const PAUSE_MS = 50;
const MEMORY_MIB = 64;

interface Places {
  readonly folder: string;
  readonly proxy: EngineProxy;
  readonly image: TestImage;
  readonly deployments: Readonly<Record<Deployment, string>>;
  readonly launchers: Set<RemoteDriver>;
  /** What was planted without our labels. */
  readonly planted: Set<string>;
}

/** Asks the engine nothing until its first driver is wanted. */
export async function dockerHarness(image: TestImage): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'room-launcher-contract-'));
  const deployments = { ours: uniqueName('ours'), theirs: uniqueName('theirs') };
  const launchers = new Set<RemoteDriver>();
  const proxy = await engineProxy(folder);
  const planted = new Set<string>();
  const places = { folder, proxy, image, deployments, launchers, planted };
  return {
    async driver(deployment = 'ours') {
      await image.ready();
      const env = { ...process.env, ONLY_THE_LAUNCHER: 'secret', LIVEKIT_API_SECRET: 'secret' };
      const options = {
        deployment: deployments[deployment],
        engine: { host: proxy.host },
        network: { mode: 'host' },
      } as const;
      const launcher = await remoteDriver({ name: 'docker', options }, env);
      launchers.add(launcher);
      return launcher;
    },
    request: (key, options) => request(places, key, options),
    pause: () => realDelay(PAUSE_MS),
    pausesMax: 200,
    soonMs: 2_000,
    nowMs: () => Date.now(),
    abilities: abilitiesOf(places),
    async [Symbol.asyncDispose]() {
      await Promise.all([...launchers].map((launcher) => launcher.kill()));
      await proxy[Symbol.asyncDispose]();
      // Without a launcher nothing was made.
      if (launchers.size > 0) {
        await Promise.all([...planted].map(removeContainer));
        await Promise.all(Object.values(deployments).map(removeDeployment));
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function request(places: Places, key: TaskKey, options: RequestOptions = {}): LaunchRequest {
  const { onSigterm } = options;
  const env = { ON_SIGTERM: onSigterm === undefined ? '' : String(onSigterm) };
  const template = places.image.name;
  return { key, template, cpu: 1, memoryMiB: MEMORY_MIB, profile: 'default', env };
}

function abilitiesOf(places: Places): Abilities {
  const { proxy, image, deployments, launchers, planted, folder } = places;
  const nameOf = (key: TaskKey) => engineName(deployments.ours, key);
  const plant = async (name: string, labels: Readonly<Record<string, string>>) => {
    await image.ready();
    const made = await docker.createContainer({ name, Image: image.name, Labels: { ...labels } });
    planted.add(made.id);
  };
  return {
    finish: (task, code) => shell(task.taskId, `echo ${code} >/tmp/new && mv /tmp/new /tmp/exit`),
    async write(task, to, line) {
      await shell(task.taskId, `echo '${to} ${line}' >/tmp/new && mv /tmp/new /tmp/say`);
      while (!(await outputOf(task.taskId)).includes(line)) await realDelay(PAUSE_MS);
    },
    kill: (task) => docker.getContainer(task.taskId).kill({ signal: 'SIGKILL' }),
    lose: { cannot: 'the engine keeps the exit code of every end that it saw, or makes one up' },
    exhaust: (task) => shell(task.taskId, 'echo >/tmp/exhaust'),
    leaveHalfDone: (key) => plant(nameOf(key), labelsOf(deployments.ours, key, 'default')),
    plantDamaged: () => plant(uniqueName('damaged'), { [LABELS.deployment]: deployments.ours }),
    takeName: (key) => plant(nameOf(key), {}),
    makeOdd: (task) => docker.getContainer(task.taskId).pause(),
    refusedRequest: async (key) => ({ ...request(places, key), memoryMiB: 1 }),
    async writeEnvFile(text) {
      const file = join(folder, 'agent.env');
      await writeFile(file, text);
      return file;
    },
    seenEnv: async (task) => seenEnv(task.taskId),
    starts: async (key) => (await outputOf(nameOf(key))).split('-- started').length - 1,
    breakEngine: () => proxy.break(),
    async hang(task) {
      const names = [task.taskId, nameOf(task.key as TaskKey), '/containers/json'];
      proxy.hang((path) => names.some((name) => path.includes(name)));
    },
    async loseNextAnswer() {
      proxy.loseNext((path) => path.includes('/containers/create'));
    },
    async killLauncher(driver) {
      for (const launcher of launchers) if (launcher === driver) await launcher.kill();
    },
  };
}
