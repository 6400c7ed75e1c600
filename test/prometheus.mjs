/**
 * Finds Prometheus for tests, or fetches Debian's once: `prometheus` and `promtool` from PATH, else
 * unpacked from Debian's package into the folder where other parts are kept, outside the clone. The
 * package is not installed, so that no service starts. On Node's own modules alone, as `npm test` asks
 * before anything else is there.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { command, lastLine } from '../scripts/docker-client.mjs';
import { patiently } from '../scripts/image-build.mjs';
import { PartMissing } from './part-missing.mjs';

/** @typedef {import('../scripts/docker-client.mjs').Env} Env */

const TOOLS = ['prometheus', 'promtool'];
const HELP =
  "install Prometheus with promtool (Debian's package prometheus), so that PATH has both";

/**
 * The folder that has `prometheus` and `promtool`. Throws `PartMissing`.
 * @param {{ env: Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export async function findPrometheus({ env, say }) {
  const onPath = (env.PATH ?? '').split(delimiter).find((folder) => folder !== '' && has(folder));
  if (onPath !== undefined) return onPath;
  const cache = env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), '.cache');
  const folder = join(cache, 'room-launcher', 'prometheus');
  const bin = join(folder, 'usr', 'bin');
  if (!has(bin)) {
    await patiently("fetching Debian's Prometheus, once", say, () => unpack(folder, env));
  }
  return bin;
}

function has(folder) {
  return TOOLS.every((tool) => existsSync(join(folder, tool)));
}

/** In a folder of its own that is moved into place in one step: two at once leave no half. */
async function unpack(folder, env) {
  mkdirSync(join(folder, '..'), { recursive: true });
  const making = mkdtempSync(`${folder}.`);
  try {
    await download(making, env);
    const [file] = readdirSync(making).filter((name) => name.endsWith('.deb'));
    if (file === undefined) throw new PartMissing(`no Prometheus: ${HELP}`);
    await must('dpkg-deb', ['-x', file, '.'], making, env);
    rmSync(join(making, file));
    if (has(join(folder, 'usr', 'bin'))) return; // another was quicker
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** The lists of packages may be missing or old: as root they are brought up to date. */
async function download(into, env) {
  const args = ['-qq', '-o', 'APT::Sandbox::User=root', 'download', 'prometheus'];
  const first = await command('apt-get', args, { env, cwd: into });
  if (first.code === 0) return;
  if (process.getuid?.() === 0) await command('apt-get', ['-qq', 'update'], { env });
  await must('apt-get', args, into, env);
}

async function must(file, args, cwd, env) {
  const { code, output } = await command(file, args, { env, cwd });
  if (code === 0) return;
  const what = `\`${file} ${args.join(' ')}\``;
  throw new PartMissing(`no Prometheus: ${what} said: ${lastLine(output)}; ${HELP}`);
}
