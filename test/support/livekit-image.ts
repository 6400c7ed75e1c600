/**
 * LiveKit's server as an image for tests: LiveKit's own where it is or can be pulled, else one made
 * of this machine's `livekit-server`.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { findLiveKitServer, LIVEKIT_VERSION } from '../../launcher/dev/livekit-binary.ts';
import type { Cleanup } from './cleanup.ts';
import { uniqueName } from './docker-engine.ts';

const run = promisify(execFile);
export const LIVEKIT_IMAGE = `livekit/livekit-server:v${LIVEKIT_VERSION}`;
/** Has the C library that a binary made on this machine may need, as ours was tried in it. */
const BASE = 'room-launcher-agent:latest';
const DOCKERFILE = `FROM ${BASE}
COPY livekit-server /livekit-server
USER 0
ENTRYPOINT ["/livekit-server"]
CMD []
`;

const progress = (line: string) => console.error(line);

/** Its name; what was made goes with `cleanup`. */
export async function livekitImage(cleanup: Cleanup): Promise<string> {
  for (const args of [
    ['image', 'inspect', LIVEKIT_IMAGE],
    ['pull', '--quiet', LIVEKIT_IMAGE],
  ]) {
    const got = await run('docker', args).catch(() => null);
    if (got !== null) return LIVEKIT_IMAGE;
  }
  const binary = await findLiveKitServer({ env: process.env, progress });
  const folder = await mkdtemp(join(tmpdir(), 'livekit-image-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  await copyFile(binary, join(folder, 'livekit-server'));
  await writeFile(join(folder, 'Dockerfile'), DOCKERFILE);
  const name = `room-launcher-${uniqueName('livekit')}:latest`;
  cleanup.defer(() => run('docker', ['rmi', '--force', name]));
  await run('docker', ['build', '--quiet', '--tag', name, folder]);
  return name;
}
