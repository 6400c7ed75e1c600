/** `room-launcher build` for tests: an agent's package, the command, and what it left behind. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Child, startChild } from '../../launcher/dev/process.ts';
import type { Cleanup } from './cleanup.ts';
import { MAIN } from './command.ts';
import { docker, uniqueName } from './docker-engine.ts';
import { waitFor } from './wait.ts';

const ROOT = new URL('../../', import.meta.url);
/** With nothing cached: LiveKit's framework is downloaded and unpacked. */
export const BUILD_DEADLINE_MS = 300_000;

export interface AgentFolder {
  readonly folder: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
}

/**
 * A package with LiveKit's framework and these further dependencies, in the versions of this
 * project's lock file, which is also its own.
 */
export async function agentFolder(
  cleanup: Cleanup,
  files: Readonly<Record<string, string>>,
  ...further: readonly string[]
): Promise<AgentFolder> {
  const folder = await temporary(cleanup);
  const write = async (texts: Readonly<Record<string, string>>) => {
    for (const [path, text] of Object.entries(texts)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  };
  const ours: { dependencies: Record<string, string> } = JSON.parse(await ofRoot('package.json'));
  const names = ['@livekit/agents', '@livekit/rtc-node', ...further];
  const dependencies = Object.fromEntries(names.map((name) => [name, ours.dependencies[name]]));
  await write({
    'package.json': JSON.stringify({ name: 'an-agent', type: 'module', dependencies }),
    'package-lock.json': await ofRoot('package-lock.json'),
    ...files,
  });
  return { folder, write };
}

function ofRoot(path: string): Promise<string> {
  return readFile(new URL(path, ROOT), 'utf8');
}

async function temporary(cleanup: Cleanup): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'build-test-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A name for an image, which goes with `cleanup`. */
export function imageName(cleanup: Cleanup): string {
  const name = `room-launcher-${uniqueName('built')}:latest`;
  cleanup.defer(async () => {
    if (await imageExists(name)) await docker.getImage(name).remove({ force: true });
  });
  return name;
}

export async function imageExists(name: string): Promise<boolean> {
  const filters = { reference: [name] };
  return (await docker.listImages({ filters })).length > 0;
}

export interface Build {
  readonly child: Child;
  /** All that it has written. */
  output(): string;
  /** Waits for the end; rejects when none comes. */
  code(): Promise<number | null>;
  /** What it has left in its folder for temporary files. */
  leftFiles(): Promise<string[]>;
  /** Of the build, by docker's own output: the name under which the image was made. */
  draft(): string | undefined;
}

/**
 * The command of the package as it is published, unpacked; its dependencies are this project's.
 */
export async function publishedMain(cleanup: Cleanup): Promise<string> {
  const folder = await temporary(cleanup);
  const run = promisify(execFile);
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', pack, { cwd: fileURLToPath(ROOT) });
  await run('tar', ['-C', folder, '-xzf', join(folder, stdout.trim())]);
  const modules = fileURLToPath(new URL('node_modules', ROOT));
  await symlink(modules, join(folder, 'package/node_modules'));
  return join(folder, 'package/dist/launcher/main.js');
}

/** Starts `room-launcher build <args>` in a package's folder, killed with `cleanup`. */
export async function startBuild(
  cleanup: Cleanup,
  { folder, main = MAIN }: { readonly folder: string; readonly main?: string },
  ...args: readonly string[]
): Promise<Build> {
  const temp = await temporary(cleanup);
  const child = await startChild(process.execPath, [main, 'build', ...args], {
    cwd: folder,
    env: { ...process.env, TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanup.defer(() => child.kill());
  let text = '';
  for (const stream of [child.process.stdout, child.process.stderr]) {
    stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  }
  return {
    child,
    output: () => text,
    async code() {
      await waitFor('the end of the build', () => child.hasEnded(), BUILD_DEADLINE_MS);
      return (await child.ended).code;
    },
    leftFiles: () => readdir(temp),
    draft: () => /naming to \S*(room-launcher-build:[0-9a-f]+)/.exec(text)?.[1],
  };
}

/** Which of these texts are in any layer or in the configuration of an image. */
export async function textsIn(
  cleanup: Cleanup,
  image: string,
  texts: readonly string[],
): Promise<string[]> {
  const folder = await temporary(cleanup);
  const run = promisify(execFile);
  const archive = join(folder, 'image.tar');
  await run('docker', ['save', '--output', archive, image]);
  await run('tar', ['-C', folder, '-xf', archive]);
  await rm(archive);
  const found = new Set<string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const raw = await readFile(join(entry.parentPath, entry.name));
    const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
    for (const text of texts) if (bytes.includes(text)) found.add(text);
  }
  return [...found];
}
