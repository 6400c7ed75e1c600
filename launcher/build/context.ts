/**
 * The build's context: a private temporary folder with exactly what the image is made of.
 *
 *     Dockerfile, .dockerignore
 *     package.json, dist/, scripts/    the runner, from this package
 *     agent/manifest/                  package.json without scripts, the lock file
 *     agent/files/                     the agent's package, without what is never taken
 *     agent/entry/                     the file that the runner loads
 */
import { existsSync } from 'node:fs';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import type { AgentPackage } from './agent-package.ts';
import type { Entry } from './compile.ts';
import { CONTEXT, dockerfileOf } from './dockerfile.ts';
import { dockerIgnoreBelow, whyLeftOut } from './left-out.ts';

/** Of this package: what the runner's Dockerfile copies. Only a repository has the optional ones. */
const RUNNER = [
  'package.json',
  'dist/agent-image',
  'dist/launcher/gateway/wire.js',
  'package-lock.json',
  '.npmrc',
];
const KEEP = 'keep-dependencies.mjs';
const FOLDER_MODE = 0o755;
const READABLE = 0o444;

export interface Runner {
  /** This package's folder. */
  readonly root: string;
  /** Of the runner's image, relative to it. */
  readonly dockerfile: string;
}

/** Writes the context into `folder`; resolves with the names left out as they may hold secrets. */
export async function writeContext(
  folder: string,
  agent: AgentPackage,
  entry: Entry,
  runner: Runner,
): Promise<string[]> {
  const dockerfile = await readFile(join(runner.root, runner.dockerfile), 'utf8');
  const text = dockerfileOf(dockerfile, entry.path, agent.lock !== null);
  await writeFile(join(folder, 'Dockerfile'), text);
  await copyRunner(runner.root, folder);
  await write(folder, posix.join(CONTEXT.entry, entry.path), entry.code);
  const { scripts: _, ...manifest } = agent.manifest;
  await write(folder, posix.join(CONTEXT.manifest, 'package.json'), JSON.stringify(manifest));
  if (agent.lock !== null) {
    await write(folder, posix.join(CONTEXT.manifest, 'package-lock.json'), agent.lock);
  }
  const ignoreFile = join(agent.folder, '.dockerignore');
  const ignored = existsSync(ignoreFile) ? await readFile(ignoreFile, 'utf8') : '';
  await writeFile(join(folder, '.dockerignore'), dockerIgnoreBelow(CONTEXT.files, ignored));
  return copyFiles(agent.folder, join(folder, CONTEXT.files));
}

async function copyRunner(root: string, folder: string): Promise<void> {
  for (const path of RUNNER.filter((one) => existsSync(join(root, one)))) {
    await cp(join(root, path), join(folder, path), { recursive: true });
  }
  await mkdir(join(folder, 'scripts'));
  await copyFile(join(root, 'dist/scripts', KEEP), join(folder, 'scripts', KEEP));
}

async function write(folder: string, path: string, text: string): Promise<void> {
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE });
  await writeFile(file, text);
}

/**
 * Copies a package's files, readable for the image's user whatever their mode here. Links stay
 * links: they lead to nothing that was left out. Resolves with the paths of possible secrets.
 */
export async function copyFiles(from: string, to: string, below = ''): Promise<string[]> {
  await mkdir(to, { recursive: true, mode: FOLDER_MODE });
  const secrets: string[] = [];
  for (const one of await readdir(from, { withFileTypes: true })) {
    const why = whyLeftOut(one.name);
    const path = posix.join(below, one.name);
    const [source, target] = [join(from, one.name), join(to, one.name)];
    if (why === 'secret') secrets.push(path);
    if (why !== null) continue;
    if (one.isDirectory()) secrets.push(...(await copyFiles(source, target, path)));
    else if (one.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (one.isFile()) {
      await copyFile(source, target);
      await chmod(target, (await stat(source)).mode | READABLE);
    }
  }
  return secrets;
}
