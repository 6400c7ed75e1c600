/**
 * Loads the agent file, and the very copies of agents-js and rtc-node that it uses.
 *
 * agents-js keeps its job context, plugins and models in module variables, and ships each module
 * twice (ES module and CommonJS). A runner that used another copy than the agent's would run it
 * half blind: `getJobContext()` would find nothing. So these are looked up from the agent file's
 * place and in its module format, and only types are imported statically.
 */
import { createRequire } from 'node:module';
import { dirname, join as joinPath } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Agents from '@livekit/agents';
import type * as Rtc from '@livekit/rtc-node';
import type * as Otel from '@opentelemetry/api';
import { StartError } from './start.ts';

export type AgentsLibrary = typeof Agents;
export type RtcLibrary = typeof Rtc;

export interface Libraries {
  readonly agents: AgentsLibrary;
  readonly rtc: RtcLibrary;
  /** OpenTelemetry's API, of which agents-js has loaded a copy already. */
  otel(): typeof Otel;
}

/** Local models: the module of each, by the method by which agents-js asks for it. */
export type Models = Readonly<Record<string, string>>;

export interface LoadedAgent extends Libraries {
  readonly agent: Agents.AgentDefinition;
  /** Those of the agent's plugins, which are loaded before there is a room. */
  readonly models: Models;
  /** Those of agents-js itself, which its worker loads for every agent: here, when one is used. */
  readonly ownModels: Models;
}

/** The release of agents-js whose order of shutdown `job.ts` follows, as major and minor. */
export const TESTED_AGENTS = '1.9';

/** Whether this release of agents-js is one that the runner was tested with. */
export function isTested(version: string): boolean {
  return version.startsWith(`${TESTED_AGENTS}.`);
}

/**
 * Runs the agent file's top level; `path` is its real path. Throws what it throws, and `StartError`
 * when it exports no agent.
 */
export async function loadAgent(path: string): Promise<LoadedAgent> {
  const module: unknown = await import(pathToFileURL(path).href);
  const agents = await importAgents(path);
  // rtc-node's ES module only re-exports its CommonJS one: both formats are one copy.
  const require = createRequire(resolveAgents(path));
  const rtc: RtcLibrary = require('@livekit/rtc-node');
  return agentOf(path, module, { agents, rtc, otel: () => require('@opentelemetry/api') });
}

/** The agent that a module exports as its default. Throws `StartError`. */
export function agentOf(path: string, module: unknown, libraries: Libraries): LoadedAgent {
  const exported = inner(module);
  const { isAgent, InferenceRunner } = libraries.agents;
  const agent = [exported, inner(exported)].find(isAgent);
  const models = InferenceRunner.registeredRunners;
  if (agent) return { agent, ...libraries, models, ownModels: ownModels(path) };
  throw new StartError(
    `Agent file "${path}" has no agent as its default export: ` +
      'add "export default defineAgent({ entry: async (ctx) => { … } })".',
  );
}

/** The end of a turn, told by how it sounds: the detector of agents-js' `inference.TurnDetector`. */
function ownModels(path: string): Models {
  const file = joinPath(dirname(resolveAgents(path)), 'inference/eot/runner.js');
  return { lk_eot_audio: pathToFileURL(file).href };
}

/** CommonJS made by a compiler: the default export is a field of the default import. */
function inner(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'default' in value
    ? value.default
    : undefined;
}

async function importAgents(path: string): Promise<AgentsLibrary> {
  const require = createRequire(path);
  const entry = resolveAgents(path);
  // Node keeps CommonJS modules in this cache, also when they were imported, and only those.
  if (require.cache[path]) return require(entry);
  // `require` resolves to the CommonJS build; the other one lies beside it.
  return import(pathToFileURL(entry.replace(/\.cjs$/, '.js')).href);
}

/** Where the agent file's agents-js is; ours for a file that has none near it. */
export function resolveAgents(path: string): string {
  try {
    return createRequire(path).resolve('@livekit/agents');
  } catch {
    return createRequire(import.meta.url).resolve('@livekit/agents');
  }
}
