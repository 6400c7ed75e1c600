/**
 * Which command is Docker's Compose here: the plugin, or Debian's package. On Node's own modules
 * alone, as `npm test` and `test/docker-machine.mjs` ask before anything else is there.
 */
import { command } from '../scripts/docker-client.mjs';
import { PartMissing } from './part-missing.mjs';

const COMMANDS = [['docker', 'compose'], ['docker-compose']];
const HELP =
  "no Docker Compose found: install Docker's plugin (docker-compose-plugin) or Debian's docker-compose";

/**
 * Null where there is none.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Promise<string[] | null>}
 */
export async function findCompose(env) {
  for (const [file = '', ...args] of COMMANDS) {
    const { code } = await command(file, [...args, 'version'], { env });
    if (code === 0) return [file, ...args];
  }
  return null;
}

/**
 * Throws `PartMissing` where there is none.
 * @param {{ env: Readonly<Record<string, string | undefined>> }} how
 * @returns {Promise<void>}
 */
export async function needCompose({ env }) {
  if ((await findCompose(env)) === null) throw new PartMissing(HELP);
}
