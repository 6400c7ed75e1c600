/** A user's bash in a folder: runs blocks of the docs as they are written, and stops at an error. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import type { Env } from '../../launcher/dev/command.ts';
import { findCompose } from '../compose.mjs';

const run = promisify(execFile);

export interface ShellEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one block; rejects with all that it said when a command fails. */
export type UserShell = (block: string) => Promise<ShellEnd>;

/** Where a block leaves its variables and functions for the next one, as one terminal would. */
const STATE = '.shell-state';
const KEEP = `{ declare -f; export -p; } > ${STATE}`;

/** With Debian's package alone, `docker compose` in a block is `docker-compose`, as the docs say. */
export async function userShell(folder: string, env: Env = {}): Promise<UserShell> {
  const { PATH, HOME, DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY } = process.env;
  const given = { PATH, HOME, DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY, ...env };
  const compose = (await findCompose(process.env))?.join(' ') ?? 'docker compose';
  await writeFile(join(folder, STATE), '', { mode: 0o600 });
  return (block) => {
    const text = `set -a\n. ./${STATE}\n${block.replaceAll('docker compose', compose)}\n${KEEP}`;
    return run('bash', ['--norc', '-euo', 'pipefail', '-c', text], { cwd: folder, env: given });
  };
}
