/** The demo's tasks as processes, which every machine can have; their state is the demo's alone. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DemoEngine, EnginePlace } from './engine.ts';
import { killLeftovers } from './leftovers.ts';

export function processEngine({ deployment, folder }: EnginePlace): DemoEngine {
  const stateHome = join(folder, 'state');
  const stateDir = join(stateHome, 'room-launcher', deployment);
  return {
    text: 'processes',
    hostAddress: '127.0.0.1',
    settings: { LAUNCHER_DRIVER: 'process', XDG_STATE_HOME: stateHome },
    logHint: join(stateDir, '<task>', 'log'),
    taskLog: (key) => readFile(join(stateDir, key, 'log'), 'utf8').catch(() => ''),
    clear: async () => void (await killLeftovers(stateDir)),
  };
}
