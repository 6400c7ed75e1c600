/** The agent file, before any of its code runs. */
import { realpathSync, statSync } from 'node:fs';
import process from 'node:process';
import { StartError, unrunnable } from './start.ts';

/**
 * The agent file's real path. Throws `StartError` for a file that is missing, no file, or not in a
 * language that this Node runs.
 */
export function findAgentFile(agentFile: string): string {
  // Releases of Node that can run TypeScript say so here: 'strip' or 'transform'.
  const stripsTypes = Boolean(Reflect.get(process.features, 'typescript'));
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
