/** The ECS emulator for tests, found or installed once: an interpreter that runs `-m ministack`. */
import { findPythonTool } from './python-tool.mjs';

export const MINISTACK_VERSION = '1.5.33';
/** With Docker's library it runs a task's containers; without, it would only say that they run. */
const DOCKER_LIBRARY_VERSION = '7.1.0';

/**
 * The interpreter that runs the emulator. Throws `PartMissing`.
 * @param {{ env: import('./python-tool.mjs').Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export function findMinistack(how) {
  const tool = {
    name: `ministack-${MINISTACK_VERSION}`,
    what: `the ECS emulator ministack ${MINISTACK_VERSION}`,
    packages: [`ministack==${MINISTACK_VERSION}`, `docker==${DOCKER_LIBRARY_VERSION}`],
    probe: 'import docker, ministack',
  };
  return findPythonTool(tool, how);
}
