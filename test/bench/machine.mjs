/** On what, and of what, a run was: as it is told beside its figures. */
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import process from 'node:process';
import { LIVEKIT_VERSION } from '../../dist/launcher/dev/livekit-binary.js';
import { command } from '../../scripts/docker-client.mjs';
import { PYTHON_AGENTS } from '../python-agents.mjs';
import { docker } from './bed.mjs';

const BYTES_PER_GIB = 2 ** 30;

/** @returns {Promise<Record<string, string>>} by what it is, in the order of a reader's interest */
export async function machine(images) {
  const engine = await docker.version();
  const { dependencies } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const { Id } = await docker.getImage(images.own).inspect();
  const asked = ['run', '--rm', '--entrypoint', 'node', images.own, '--version'];
  const { code, output } = await command('docker', asked, { env: process.env });
  if (code !== 0) throw new Error(`${images.own} has no Node that runs:\n${output}`);
  return {
    processor: `${cpus()[0].model.trim()}, ${cpus().length} cores`,
    memory: `${(totalmem() / BYTES_PER_GIB).toFixed(0)} GiB`,
    kernel: `Linux ${release()}`,
    engine: `Docker ${engine.Version}`,
    'livekit-server': LIVEKIT_VERSION,
    '@livekit/agents': dependencies['@livekit/agents'],
    '@livekit/rtc-node': dependencies['@livekit/rtc-node'],
    'livekit-agents': PYTHON_AGENTS.split('==')[1],
    'Node of launcher and worker': process.version,
    "Node in our runner's image": output.trim(),
    "our runner's image": `${images.own} ${Id.slice(0, 'sha256:'.length + 12)}`,
  };
}
