/** The images that are measured: our runner's as users build it, and the examples' as they are. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { command } from '../../scripts/docker-client.mjs';
import { buildImage } from '../../scripts/image-build.mjs';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'dist/launcher/main.js');
const BUILT = 'room-launcher-agent-bench:built';
const AGENTS = ['@livekit/agents', '@livekit/rtc-node'];

/** Builds what is missing or has changed. `named`: measure this one instead of our example agent's. */
export async function images(named) {
  const how = { env: process.env, say: console.error };
  return {
    own: named ?? (await builtByCommand()),
    javascript: await buildImage('javascript', how),
    python: await buildImage('python', how),
  };
}

/** By `room-launcher build`, from a package that holds the example agent and what it depends on. */
async function builtByCommand() {
  const folder = mkdtempSync(join(tmpdir(), 'room-launcher-bench-'));
  try {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const own = Object.fromEntries(AGENTS.map((name) => [name, dependencies[name]]));
    const text = JSON.stringify({ name: 'echo-agent', type: 'module', dependencies: own });
    writeFileSync(join(folder, 'package.json'), text);
    cpSync(join(ROOT, 'package-lock.json'), join(folder, 'package-lock.json'));
    cpSync(join(ROOT, 'agent-image/examples/agent.ts'), join(folder, 'agent.ts'));
    console.error(`building ${BUILT} by room-launcher build`);
    const args = [MAIN, 'build', 'agent.ts', '--tag', BUILT];
    const { code, output } = await command(process.execPath, args, {
      cwd: folder,
      env: process.env,
    });
    if (code !== 0) throw new Error(`room-launcher build ended with ${code}:\n${output}`);
    return BUILT;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
