/**
 * Finds the ECS emulator for tests, or installs it once: a virtual environment of Python, kept
 * outside the clone beside the other parts, whose interpreter runs it (`python -m ministack`). On
 * Node's own modules alone, as `npm test` asks before anything else is there.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { command, lastLine } from '../scripts/docker-client.mjs';
import { patiently } from '../scripts/image-build.mjs';

/** @typedef {import('../scripts/docker-client.mjs').Env} Env */

export const MINISTACK_VERSION = '1.5.33';
/** With Docker's library it runs a task's containers; without, it would only say that they run. */
const DOCKER_LIBRARY_VERSION = '7.1.0';
const PACKAGES = [`ministack==${MINISTACK_VERSION}`, `docker==${DOCKER_LIBRARY_VERSION}`];
const PROBE = 'import docker, ministack';
const HELP =
  'install Python 3.10 or newer with its venv module (Debian: python3-venv) and a way to PyPI';

/** There is no emulator and none can be made; `message` says what helps. */
export class MinistackMissing extends Error {
  name = 'MinistackMissing';
}

/**
 * The interpreter that runs the emulator. Throws `MinistackMissing`.
 * @param {{ env: Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export async function findMinistack({ env, say }) {
  const cache = env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), '.cache');
  const folder = join(cache, 'room-launcher', `ministack-${MINISTACK_VERSION}`);
  const python = join(folder, 'bin', 'python');
  if (await works(python, env)) return python;
  const title = `installing the ECS emulator ministack ${MINISTACK_VERSION}, once`;
  await patiently(title, say, () => install(folder, env));
  return python;
}

/** Also false once the Python that it was made with is gone. */
async function works(python, env) {
  return (await command(python, ['-c', PROBE], { env })).code === 0;
}

/** In a folder of its own that is moved into place in one step: two at once leave no half. */
async function install(folder, env) {
  mkdirSync(dirname(folder), { recursive: true });
  const making = mkdtempSync(`${folder}.`);
  const python = join(making, 'bin', 'python');
  try {
    await must('python3', ['-m', 'venv', making], env);
    await must(python, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], env);
    await must(python, ['-c', PROBE], env);
    if (await works(join(folder, 'bin', 'python'), env)) return; // another was quicker
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

async function must(file, args, env) {
  const { code, output } = await command(file, args, { env });
  if (code === 0) return;
  const what = `\`${file} ${args.join(' ')}\``;
  throw new MinistackMissing(`no ECS emulator: ${what} said: ${lastLine(output)}; ${HELP}`);
}
