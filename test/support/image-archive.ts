/** An image of another architecture than any machine of ours, as `docker load` takes it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cleanup } from './cleanup.ts';
import { completed, docker, uniqueName } from './docker-engine.ts';

const run = promisify(execFile);
const ARCHITECTURE = 's390x';

/** Loads an empty one; gone with `cleanup`. */
export async function foreignArchitecture(
  cleanup: Cleanup,
): Promise<{ readonly image: string; readonly architecture: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'image-archive-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const image = `room-launcher-${uniqueName('foreign')}:latest`;
  const layer = Buffer.alloc(1024);
  const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  const config = {
    architecture: ARCHITECTURE,
    os: 'linux',
    config: { Cmd: ['/none'], User: '10001' },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  };
  const manifest = [{ Config: 'config.json', RepoTags: [image], Layers: ['layer.tar'] }];
  await writeFile(join(folder, 'layer.tar'), layer);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const files = ['manifest.json', 'config.json', 'layer.tar'];
  await run('tar', ['-C', folder, '-cf', join(folder, 'image.tar'), ...files]);
  cleanup.defer(() => docker.getImage(image).remove({ force: true }));
  await completed(await docker.loadImage(join(folder, 'image.tar')));
  const { Architecture } = await docker.getImage(image).inspect();
  return { image, architecture: Architecture };
}
