#!/usr/bin/env node
/**
 * `check.js <agent file>`: whether the runner could start this agent, asked of an image before it
 * gets its name. Loads the file as `main.js` would, in the image, and runs none of the agent's own
 * functions: no prewarm, no entry. Needs none of a task's variables.
 *
 * Exit codes are the runner's: 0, 64 for a file without an agent or a release of agents-js that
 * this runner was not tested with, 1 for a file that fails at import; the reason is on stderr.
 */
import process from 'node:process';
import { EXIT } from './ends.ts';
import { findAgentFile, isTested, loadAgent, TESTED_AGENTS } from './load-agent.ts';
import { StartError } from './start.ts';

/** Until the check has an end of its own, an end of the process is the agent file's doing. */
let code: number = EXIT.agentFailed;
let reason = 'The agent file ended the process at import.';

process.once('exit', () => {
  if (code !== EXIT.served) process.stderr.write(`${reason}\n`);
  process.exitCode = code;
});

try {
  const { agents } = await loadAgent(findAgentFile(process.argv[2] ?? '', false));
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
