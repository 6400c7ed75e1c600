/**
 * The real Docker engine for tests: an image of a few hundred kilobytes whose task is
 * `docker-task.sh`, and what tests do to containers behind the driver's back.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as realDelay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { connectionOf } from '../../launcher/drivers/docker/connection.ts';

const run = promisify(execFile);
const TASK_FILE = fileURLToPath(new URL('docker-task.sh', import.meta.url));
/** Statically linked (Debian's package busybox-static); where it is missing, the image of it. */
const BUSYBOX = '/bin/busybox';
const BUSYBOX_IMAGE = 'busybox:1.37';
const COMMAND = 'CMD ["/bin/sh", "/task.sh"]';
const USER = 'USER 10001';
const OUTPUT_POLL_MS = 50;
const APPLETS = ['sh', 'cat', 'dd', 'env', 'mv', 'sleep'];

/** Where the engine is, by the test's own environment. */
export const ENGINE = { host: process.env['DOCKER_HOST'] ?? '' };
export const docker = new Docker({ ...connectionOf(ENGINE) });

/** A name that no other test has; fits in deployments, images and networks. */
export function uniqueName(what: string): string {
  return `test-${what}-${randomBytes(4).toString('hex')}`;
}

export interface TestImage {
  readonly name: string;
  /** Makes it, once. */
  ready(): Promise<void>;
  /** Removes it with all its containers. */
  remove(): Promise<void>;
}

/** Nothing is made before `ready`; `instructions` are further lines of a Dockerfile. */
export function testImage(...instructions: readonly string[]): TestImage {
  const name = `room-launcher-${uniqueName('task')}:latest`;
  let making: Promise<void> | undefined;
  return {
    name,
    ready: () => (making ??= makeImage(name, instructions)),
    async remove() {
      if (making === undefined) return;
      await making.catch(() => {});
      // What a test that ran out of time could not remove.
      const left = await docker.listContainers({ all: true, filters: { ancestor: [name] } });
      await Promise.all(left.map(({ Id }) => removeContainer(Id)));
      await docker.getImage(name).remove({ force: true }).catch(ignoreMissing);
    },
  };
}

async function makeImage(name: string, instructions: readonly string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'room-launcher-image-'));
  try {
    const lines = [COMMAND, USER, ...instructions];
    await copyFile(TASK_FILE, join(folder, 'task.sh'));
    await (existsSync(BUSYBOX) ? imported(folder, name, lines) : built(folder, name, lines));
    await docker.getImage(name).inspect();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An image of nothing but this machine's busybox. */
async function imported(folder: string, name: string, changes: readonly string[]): Promise<void> {
  await mkdir(join(folder, 'bin'));
  await mkdir(join(folder, 'tmp'));
  // A memory file system takes its mode from what it covers.
  await chmod(join(folder, 'tmp'), 0o1777);
  await copyFile(BUSYBOX, join(folder, 'bin/busybox'));
  for (const applet of APPLETS) await symlink('busybox', join(folder, 'bin', applet));
  const tar = `${folder}.tar`;
  try {
    await run('tar', ['-C', folder, '-cf', tar, '.']);
    const [repo, tag] = name.split(':');
    await completed(await docker.importImage(tar, { repo, tag, changes: [...changes] }));
  } finally {
    await rm(tar, { force: true });
  }
}

async function built(folder: string, name: string, lines: readonly string[]): Promise<void> {
  const text = [`FROM ${BUSYBOX_IMAGE}`, 'COPY task.sh /task.sh', ...lines].join('\n');
  await writeFile(join(folder, 'Dockerfile'), text);
  await buildFrom(folder, ['Dockerfile', 'task.sh'], name);
}

/**
 * Builds an image of a folder's files, by its Dockerfile. Without the cache: its parts would belong
 * to another test too, whose clean-up takes them away in mid-build.
 */
export async function buildFrom(folder: string, src: string[], name: string): Promise<void> {
  const how = { t: name, nocache: true };
  await completed(await docker.buildImage({ context: folder, src }, how));
}

/** Waits for what the engine tells of as it goes along; rejects when it tells of an error. */
export async function completed(stream: NodeJS.ReadableStream): Promise<void> {
  let text = '';
  for await (const part of stream) text += String(part);
  const { error } = JSON.parse(text.trimEnd().split('\n').at(-1) || '{}') as { error?: string };
  if (error !== undefined) throw new Error(error);
}

/** Runs a line of shell in a container, which has to let it. */
export async function shell(id: string, line: string): Promise<void> {
  const exec = await docker.getContainer(id).exec({ Cmd: ['/bin/sh', '-c', line] });
  await exec.start({ Detach: true });
}

/** What a container has written. */
export async function outputOf(id: string): Promise<string> {
  const frames = await docker.getContainer(id).logs({ stdout: true, stderr: true });
  const parts: string[] = [];
  // Each frame: stream, three zeros, length, text.
  for (let at = 0; at + 8 <= frames.length; at += 8 + frames.readUInt32BE(at + 4)) {
    parts.push(frames.toString('utf8', at + 8, at + 8 + frames.readUInt32BE(at + 4)));
  }
  return parts.join('');
}

/** What a task of a test image found in its environment; waits until it has told. */
export async function seenEnv(id: string): Promise<Record<string, string>> {
  let text = '';
  while (!text.includes('-- started')) {
    await realDelay(OUTPUT_POLL_MS);
    text = await outputOf(id);
  }
  const lines = text.split('\n').filter((line) => line.includes('='));
  return Object.fromEntries(
    lines.map((line) => {
      const equals = line.indexOf('=');
      return [line.slice(0, equals), line.slice(equals + 1)];
    }),
  );
}

/** Removes all that bears a deployment's label, and its network. */
export async function removeDeployment(deployment: string): Promise<void> {
  const filters = { label: [`room-launcher.deployment=${deployment}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => removeContainer(Id)));
  for (const { Id } of await docker.listNetworks({ filters })) {
    await docker.getNetwork(Id).remove().catch(ignoreMissing);
  }
}

export async function removeContainer(id: string): Promise<void> {
  await docker.getContainer(id).remove({ force: true, v: true }).catch(ignoreMissing);
}

/** 404: gone; 409: somebody else is removing it. */
export function ignoreMissing(error: unknown): void {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : null;
  if (status !== 404 && status !== 409) throw error;
}
