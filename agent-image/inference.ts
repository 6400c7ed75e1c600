/**
 * Local models (turn detection and the like) in this process. agents-js keeps them in a process of
 * their own, shared by many jobs; a task has one job, so that a second process would only cost.
 */
import type { ipc } from '@livekit/agents';
import type { Models } from './load-agent.ts';

interface Runner {
  initialize(): Promise<void>;
  run(data: unknown): Promise<unknown>;
}

export interface Inference extends ipc.InferenceExecutor {
  /** Loads every model that is registered by now; rejects when one cannot be loaded. */
  warm(): Promise<void>;
}

/** `models` are warmed, `others` wait until they are asked for. */
export function createInference(models: Models, others: Models): Inference {
  const loaded = new Map<string, Promise<Runner>>();
  const runner = (method: string): Promise<Runner> => {
    const found = loaded.get(method) ?? load(method, models[method] ?? others[method]);
    loaded.set(method, found);
    return found;
  };
  return {
    doInference: async (method, data) => (await runner(method)).run(data),
    warm: async () => {
      await Promise.all(Object.keys(models).map(runner));
    },
  };
}

async function load(method: string, file: string | undefined): Promise<Runner> {
  if (!file) throw new Error(`no model is registered for "${method}"`);
  type RunnerClass = new () => Runner;
  const module: { default: RunnerClass | { default: RunnerClass } } = await import(file);
  const Class = typeof module.default === 'function' ? module.default : module.default.default;
  const runner = new Class();
  await runner.initialize();
  return runner;
}
