/**
 * Finds the OpenTelemetry collector for tests, or builds it once with Go: the project's own program
 * with two of its parts, an OTLP receiver and an OTLP exporter. Kept outside the clone beside the
 * other parts. On Node's own modules alone, as `npm test` asks before anything else is there.
 */
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { command, lastLine } from '../scripts/docker-client.mjs';
import { patiently } from '../scripts/image-build.mjs';
import { PartMissing } from './part-missing.mjs';

/** @typedef {import('../scripts/docker-client.mjs').Env} Env */

export const COLLECTOR_VERSION = '0.161.0';
const MODULES = 'go.opentelemetry.io/collector';
const HELP = 'install Go 1.25 or newer and a way to its module proxy';

/**
 * Path of the executable. Throws `PartMissing`.
 * @param {{ env: Env, say: (line: string) => void }} how
 * @returns {Promise<string>}
 */
export async function findCollector({ env, say }) {
  const cache = env.XDG_CACHE_HOME || join(env.HOME ?? homedir(), '.cache');
  const file = join(cache, 'room-launcher', 'bin', `otel-collector-${COLLECTOR_VERSION}`);
  if (executable(file)) return file;
  const title = `building the OpenTelemetry collector ${COLLECTOR_VERSION} with Go, once`;
  await patiently(title, say, () => build(file, env));
  return file;
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** In a folder of its own; the program is moved into place in one step. */
async function build(file, env) {
  mkdirSync(dirname(file), { recursive: true });
  const folder = mkdtempSync(`${file}.`);
  try {
    const parts = {
      dist: { name: 'collector', output_path: join(folder, 'made') },
      receivers: [{ gomod: `${MODULES}/receiver/otlpreceiver v${COLLECTOR_VERSION}` }],
      exporters: [{ gomod: `${MODULES}/exporter/otlphttpexporter v${COLLECTOR_VERSION}` }],
    };
    // Read as YAML, which JSON is.
    writeFileSync(join(folder, 'parts.yaml'), JSON.stringify(parts));
    const builder = `${MODULES}/cmd/builder@v${COLLECTOR_VERSION}`;
    const args = ['run', builder, '--config', join(folder, 'parts.yaml')];
    const { code, output } = await command('go', args, { env, cwd: folder });
    if (code !== 0) {
      const said = lastLine(output);
      throw new PartMissing(`no OpenTelemetry collector: \`go run\` said: ${said}; ${HELP}`);
    }
    renameSync(join(folder, 'made', 'collector'), file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
