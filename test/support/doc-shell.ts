/**
 * Where the commands of the pages are run as they are written: in bash, which stops at an error, with
 * the compiled `room-launcher` on PATH, in a folder of the test's own or in a copy of this repository.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Env } from '../../launcher/dev/command.ts';
import type { Cleanup } from './cleanup.ts';
import { MAIN } from './command.ts';
import { ROOT } from './markdown.ts';

const run = promisify(execFile);
/** What a clone does not have. */
const NOT_CLONED = ['node_modules', 'dist', '.git', '.cache', 'coverage'];

/** An empty folder, gone with `cleanup`. */
export async function ownFolder(cleanup: Cleanup, within = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(within, 'docs-test-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

/**
 * A copy of the repository as a clone has it, but with the dependencies of this one, so that what it
 * builds is its own. It is within this one, so that compilers see those dependencies as its own.
 */
export async function ownClone(cleanup: Cleanup): Promise<string> {
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  const folder = await ownFolder(cleanup, join(ROOT, '.cache'));
  for (const name of await readdir(ROOT)) {
    if (NOT_CLONED.includes(name)) continue;
    await cp(join(ROOT, name), join(folder, name), { recursive: true, preserveTimestamps: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** The environment of such a shell. */
export async function docEnv(cleanup: Cleanup, env: Env = {}): Promise<Env> {
  const bin = await ownFolder(cleanup);
  const command = join(bin, 'room-launcher');
  await writeFile(command, `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`);
  await chmod(command, 0o755);
  return { ...process.env, ...env, PATH: [bin, process.env['PATH']].join(delimiter) };
}

/** Runs a block; resolves with what it wrote, rejects with all of it when a command fails. */
export function runBlock(
  block: string,
  { folder, env }: { readonly folder: string; readonly env: Env },
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return run('bash', ['-euo', 'pipefail', '-c', block], { cwd: folder, env });
}
