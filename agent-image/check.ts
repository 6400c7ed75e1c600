#!/usr/bin/env node
/**
 * `check.js <agent file>`: whether the runner could start this agent, asked of an image before it
 * gets its name. Loads the file as `main.js` would, in the image, and runs none of the agent's own
 * functions: no prewarm, no entry. Needs none of a task's variables.
 *
 * Exit codes are the runner's: 0, 64 for a file without an agent or a release of agents-js that
 * this runner was not tested with, 1 for a file that fails at import or a bundle whose compiled code
 * is not taken; the reason is on stderr. An agent that is not bundled works: why is on stdout.
 */
import process from 'node:process';
import { EXIT } from './ends.ts';
import { findAgentFile } from './agent-file.ts';
import { bundleOf, readManifest, runBundle } from './bundled.ts';
import { isTested, type LoadedAgent, loadAgent, TESTED_AGENTS } from './load-agent.ts';
import { StartError } from './start.ts';

/** Begins a line on stdout, which goes on with JSON of the reason. */
const NOT_BUNDLED = 'not bundled: ';

/** Until the check has an end of its own, an end of the process is the agent file's doing. */
let code: number = EXIT.agentFailed;
let reason = 'The agent file ended the process at import.';

/** Of the bundle alone, stale or not: a stale one is a fault of the build. */
async function load(file: string): Promise<LoadedAgent> {
  const bundle = bundleOf(file);
  const manifest = readManifest(bundle);
  if (manifest === null || 'leftOut' in manifest) {
    process.stdout.write(`${NOT_BUNDLED}${JSON.stringify(manifest?.leftOut ?? 'no bundle')}\n`);
    return loadAgent(file);
  }
  const { parts, rejected } = runBundle(bundle);
  if (rejected) throw new StartError("The bundle's compiled code is not taken by this Node.");
  return parts.loadAgent(file);
}

process.once('exit', () => {
  if (code !== EXIT.served) process.stderr.write(`${reason}\n`);
  process.exitCode = code;
});

try {
  const { agents } = await load(findAgentFile(process.argv[2] ?? ''));
  if (!isTested(agents.version)) {
    throw new StartError(
      `The agent's @livekit/agents is ${agents.version}, and this runner works with ` +
        `${TESTED_AGENTS}: npm install @livekit/agents@~${TESTED_AGENTS}.0`,
    );
  }
  code = EXIT.served;
} catch (error) {
  const bad = error instanceof StartError;
  code = bad ? EXIT.badStart : EXIT.agentFailed;
  const thrown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  reason = bad ? error.message : `The agent file failed at import:\n${thrown}`;
}
process.exit();
