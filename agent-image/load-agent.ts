/**
 * Loads the agent file, and the very copies of agents-js and rtc-node that it uses.
 *
 * agents-js keeps its job context, plugins and models in module variables, and ships each module
 * twice (ES module and CommonJS). A runner that used another copy than the agent's would run it
 * half blind: `getJobContext()` would find nothing. So these are looked up from the agent file's
 * place and in its module format, and only types are imported statically.
 */
import { realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type * as Agents from '@livekit/agents';
import type * as Rtc from '@livekit/rtc-node';
import { StartError, unrunnable } from './start.ts';

export type AgentsLibrary = typeof Agents;
export type RtcLibrary = typeof Rtc;

export interface LoadedAgent {
  readonly agent: Agents.AgentDefinition;
  readonly agents: AgentsLibrary;
  readonly rtc: RtcLibrary;
}

/** The release of agents-js whose order of shutdown `job.ts` follows, as major and minor. */
export const TESTED_AGENTS = '1.9';

/** Whether this release of agents-js is one that the runner was tested with. */
export function isTested(version: string): boolean {
  return version.startsWith(`${TESTED_AGENTS}.`);
}

/**
 * The agent file's real path, found before anything else is tried. Throws `StartError` for a file
 * that is missing, no file, or not in a language that this Node runs.
 */
export function findAgentFile(agentFile: string, stripsTypes: boolean): string {
  const problem = unrunnable(agentFile, stripsTypes);
  if (problem) throw new StartError(problem);
  const path = realPath(agentFile);
  if (path === null || !statSync(path).isFile()) {
    throw new StartError(`Agent file "${agentFile}" is no file that can be read: check its path.`);
  }
  return path;
}

function realPath(file: string): string | null {
  try {
    return realpathSync(file);
  } catch {
    return null;
  }
}

/**
 * Runs the agent file's top level. Throws what it throws, and `StartError` when it exports no
 * agent.
 */
export async function loadAgent(path: string): Promise<LoadedAgent> {
  const module: { default?: unknown } = await import(pathToFileURL(path).href);
  const agents = await importAgents(path);
  const agent = [module.default, inner(module.default)].find(agents.isAgent);
  if (!agent) {
    throw new StartError(
      `Agent file "${path}" has no agent as its default export: ` +
        'add "export default defineAgent({ entry: async (ctx) => { … } })".',
    );
  }
  // rtc-node's ES module only re-exports its CommonJS one: both formats are one copy.
  const rtc: RtcLibrary = createRequire(resolveAgents(path))('@livekit/rtc-node');
  return { agent, agents, rtc };
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

/** Where the agent file's agents-js is; ours for a file that has none near it (a bundle). */
function resolveAgents(path: string): string {
  try {
    return createRequire(path).resolve('@livekit/agents');
  } catch {
    return createRequire(import.meta.url).resolve('@livekit/agents');
  }
}
