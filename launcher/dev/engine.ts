/**
 * What the demo's tasks run on, as far as the demo has to know it: containers where a Docker engine
 * of this machine has the runner's image, else processes.
 */
import type { Env } from './command.ts';
import { dockerEngine } from './docker-engine.ts';
import { processEngine } from './process-engine.ts';
import { StepFailed } from './wait.ts';

/** `own`: a bridge network of the deployment's own, as the launcher makes it by itself. */
export type DemoNetwork = 'own' | 'host';

/** Which example agent: our runner's, or an ordinary one, whose image knows nothing of us. */
export type DemoAgent = 'runner' | 'python' | 'javascript';

/** As `npm run image` calls them. */
const IMAGES: Readonly<Record<DemoAgent, string>> = {
  runner: 'room-launcher-agent:latest',
  python: 'room-launcher-agent-python:latest',
  javascript: 'room-launcher-agent-javascript:latest',
};

/** What the user asked for; nothing: Docker if it can be, else processes. */
export interface EngineChoice {
  readonly engine?: 'docker' | 'process';
  /** Asks for Docker. */
  readonly network?: DemoNetwork;
  /** By default the runner's; the others need Docker. */
  readonly agent?: DemoAgent;
  /** An image of the user's instead, of which nothing is expected but that it comes. Asks for Docker. */
  readonly image?: string;
}

export interface EnginePlace {
  readonly env: Env;
  readonly deployment: string;
  /** Private folder of the demo. */
  readonly folder: string;
}

export interface DemoEngine {
  /** What tasks are, for people. */
  readonly text: string;
  /** Address of this machine that tasks reach: loopback, or that of the engine's bridge. */
  readonly hostAddress: string;
  /** The settings that make the launcher take it. */
  readonly settings: Env;
  /** How to read a task's log, for people. */
  readonly logHint: string;
  /** The log of a task; empty when there is none (any more). */
  taskLog(key: string): Promise<string>;
  /** Ends and removes what is left of the deployment, once the launcher is gone. */
  clear(): Promise<void>;
}

/** Why an engine cannot be used, in one line. */
export interface Unusable {
  readonly whyNot: string;
}

/**
 * The engine that was asked for, or the best there is; `warn` gets the line that says why that is
 * not Docker. Rejects with `StepFailed` when Docker was asked for and cannot be used.
 */
export async function openEngine(
  { engine, network, agent = 'runner', image }: EngineChoice,
  place: EnginePlace,
  warn: (line: string) => void,
): Promise<DemoEngine> {
  if (engine === 'process') return processEngine(place);
  const docker = await dockerEngine(network ?? 'own', image ?? IMAGES[agent], place);
  if (!('whyNot' in docker)) return docker;
  if ((engine ?? network ?? image) || agent !== 'runner')
    throw new StepFailed('containers', docker.whyNot);
  warn(`NO CONTAINERS, tasks run as processes of this machine: ${docker.whyNot}`);
  return processEngine(place);
}
