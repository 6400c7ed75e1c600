/**
 * Finds a Chromium for the tests of the dashboard, or installs Debian's (as root). On Node's own
 * modules alone, as `npm test` asks before anything else is there.
 */
import { existsSync } from 'node:fs';
import process from 'node:process';
import { command, lastLine } from '../scripts/docker-client.mjs';
import { patiently } from '../scripts/image-build.mjs';
import { PartMissing } from './part-missing.mjs';

/** @typedef {import('../scripts/docker-client.mjs').Env} Env */

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const HELP = 'install Chromium (Debian: apt-get install chromium) or name one in CHROMIUM_BIN';

/**
 * The browser's program. Throws `PartMissing`.
 * @param {{ env: Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export async function findChromium({ env, say }) {
  const named = env.CHROMIUM_BIN;
  if (named && !existsSync(named)) throw new PartMissing(`CHROMIUM_BIN names no file: ${named}`);
  const there = named || PLACES.find((path) => existsSync(path));
  if (there) return there;
  await patiently("installing Debian's Chromium, once", say, () => install(env));
  const installed = PLACES.find((path) => existsSync(path));
  if (installed) return installed;
  throw new PartMissing(`no browser after its installation; ${HELP}`);
}

async function install(env) {
  const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  if (process.getuid?.() !== 0) throw new PartMissing(`no browser; ${HELP}`);
  await command('apt-get', ['-qq', 'update'], quiet);
  const packages = ['--no-install-recommends', 'chromium', 'fonts-dejavu-core'];
  const { code, output } = await command('apt-get', ['-qq', 'install', '-y', ...packages], quiet);
  if (code !== 0) throw new PartMissing(`no browser: apt-get said: ${lastLine(output)}; ${HELP}`);
}
