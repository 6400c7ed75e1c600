/**
 * Finds a tool of Python's for tests, or installs it once: a virtual environment kept outside the
 * clone beside the other parts, whose interpreter runs it (`python -m …`). On Node's own modules
 * alone, as `npm test` asks before anything else is there.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { command, lastLine } from '../scripts/docker-client.mjs';
import { patiently } from '../scripts/image-build.mjs';
import { PartMissing } from './part-missing.mjs';

/** @typedef {import('../scripts/docker-client.mjs').Env} Env */
/**
 * @typedef {object} PythonTool
 * @property {string} name its folder's, with the version
 * @property {string} what as it is told to people
 * @property {readonly string[]} packages as pip takes them, pinned
 * @property {string} probe a line of Python that fails without it
 */

const HELP =
  'install Python 3.10 or newer with its venv module (Debian: python3-venv) and a way to PyPI';

/**
 * The interpreter that runs the tool. Throws `PartMissing`.
 * @param {PythonTool} tool
 * @param {{ env: Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export async function findPythonTool(tool, { env, say }) {
  const cache = env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), '.cache');
  const folder = join(cache, 'room-launcher', tool.name);
  const python = join(folder, 'bin', 'python');
  if (await works(tool, python, env)) return python;
  await patiently(`installing ${tool.what}, once`, say, () => install(tool, folder, env));
  return python;
}

/** Also false once the Python that it was made with is gone. */
async function works({ probe }, python, env) {
  return (await command(python, ['-c', probe], { env })).code === 0;
}

/** In a folder of its own that is moved into place in one step: two at once leave no half. */
async function install(tool, folder, env) {
  mkdirSync(dirname(folder), { recursive: true });
  const making = mkdtempSync(`${folder}.`);
  const python = join(making, 'bin', 'python');
  const must = (file, args) => mustRun(tool, file, args, env);
  try {
    await must('python3', ['-m', 'venv', making]);
    await must(python, ['-m', 'pip', 'install', '--quiet', ...tool.packages]);
    await must(python, ['-c', tool.probe]);
    if (await works(tool, join(folder, 'bin', 'python'), env)) return; // another was quicker
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

async function mustRun({ what }, file, args, env) {
  const { code, output } = await command(file, args, { env });
  if (code === 0) return;
  const said = `\`${file} ${args.join(' ')}\` said: ${lastLine(output)}`;
  throw new PartMissing(`without ${what}: ${said}; ${HELP}`);
}
