/** The contract suite's hold on the engine in memory. */
import {
  type Driver,
  type LaunchRequest,
  type ObservedTask,
  type TaskKey,
} from '../../launcher/driver.ts';
import { memoryDriver, MemoryEngine, type MemoryTask } from '../../launcher/drivers/memory.ts';
import type { Abilities, Deployment, Harness, RequestOptions } from '../contract/harness.ts';

const START_MS = 1_000_000;
const PAUSE_MS = 50;

export interface MemoryHarnessOptions {
  readonly listLagMs?: number;
  readonly startDelayMs?: number;
  /** Makes the driver under test; by default the right one. */
  readonly make?: (engine: MemoryEngine, deployment: Deployment) => Driver;
}

export function memoryHarness(options: MemoryHarnessOptions = {}): Harness {
  let nowMs = START_MS;
  const engine = new MemoryEngine({ nowMs: () => nowMs, ...options });
  const make = options.make ?? ((to, deployment) => memoryDriver(to, { deployment }));
  const answers = new Map<string, number | 'ignore'>();
  engine.onSigterm = (taskKey) => {
    const answer = answers.get(taskKey) ?? 143;
    return answer === 'ignore' ? { afterMs: Infinity, code: 0 } : { afterMs: 0, code: answer };
  };
  return {
    driver: async (deployment = 'ours') => make(engine, deployment),
    request(key: TaskKey, { onSigterm }: RequestOptions = {}): LaunchRequest {
      if (onSigterm !== undefined) answers.set(key, onSigterm);
      return {
        key,
        template: 'agent',
        cpu: 1,
        memoryMiB: 256,
        profile: 'default',
        env: { A: 'a' },
      };
    },
    async pause() {
      nowMs += PAUSE_MS;
    },
    pausesMax: 50,
    soonMs: 200,
    nowMs: () => nowMs,
    abilities: abilitiesOf(engine),
    async [Symbol.asyncDispose]() {
      // The engine goes with the harness.
    },
  };
}

function abilitiesOf(engine: MemoryEngine): Abilities {
  const find = (task: ObservedTask): MemoryTask => {
    const found = engine.tasks.get(task.taskId);
    if (found === undefined) throw new Error(`the engine has no task ${task.taskId}`);
    return found;
  };
  const plain = { template: 'agent', env: {} };
  return {
    finish: async (task, code) => engine.finish(task.taskId, code),
    write: async (task, _to, line) => engine.write(task.taskId, line),
    kill: async (task) => engine.finish(task.taskId, 137),
    lose: async (task) => engine.finish(task.taskId, null),
    async exhaust(task) {
      find(task).oomKilled = true;
      engine.finish(task.taskId, 137);
    },
    async leaveHalfDone(key) {
      engine.create('ours', key, plain);
    },
    async plantDamaged() {
      engine.begin(engine.create('ours', 'no task key', plain));
    },
    async takeName(key) {
      engine.taken.add(`ours.${key}`);
    },
    async makeOdd(task) {
      find(task).odd = true;
    },
    async refusedRequest(key) {
      engine.refusal = { outcome: 'refused', reason: 'image', retry: 'never', detail: 'no image' };
      return { ...plain, key, cpu: 1, memoryMiB: 256, profile: 'default' };
    },
    writeEnvFile: { cannot: 'the engine in memory reads no files' },
    seenEnv: async (task) => find(task).env,
    starts: async (key) =>
      [...engine.tasks.values()].filter((task) => task.key === key && task.begun).length,
    async breakEngine() {
      engine.down = true;
    },
    async hang() {
      engine.hanging = true;
    },
    async loseNextAnswer() {
      engine.loseAnswers = 1;
    },
    killLauncher: { cannot: 'all launchers of the engine in memory are this process' },
  };
}
