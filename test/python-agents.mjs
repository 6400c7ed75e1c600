/** LiveKit's Python agents for benchmarks, found or installed once, in the version of the example. */
import { readFileSync } from 'node:fs';
import { findPythonTool } from './python-tool.mjs';

const REQUIREMENTS = new URL('../agent-image/examples/python/requirements.txt', import.meta.url);

/** `livekit-agents==1.2.3`, as the example's image has it. */
export const PYTHON_AGENTS = readFileSync(REQUIREMENTS, 'utf8').trim();

/**
 * The interpreter that runs a Python agent. Throws `PartMissing`.
 * @param {{ env: import('./python-tool.mjs').Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export function findPythonAgents(how) {
  const tool = {
    name: PYTHON_AGENTS.replace('==', '-'),
    what: `LiveKit's Python agents (${PYTHON_AGENTS})`,
    packages: [PYTHON_AGENTS],
    probe: 'import livekit.agents',
  };
  return findPythonTool(tool, how);
}
