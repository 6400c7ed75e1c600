/**
 * The demo's last resort: kills what still runs of its private deployment when the launcher, whose
 * work that is, has crashed. Only safe because the deployment is this demo's alone and minutes old,
 * so that a pid that stands in it cannot have passed to somebody else.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';

const Claim = z.object({ pid: z.int().min(2) });

/** Kills every task in `stateDir` that has no recorded end; returns how many there were. */
export async function killLeftovers(stateDir: string): Promise<number> {
  const names = await readdir(stateDir).catch(() => []);
  const folders = names.filter((name) => !name.startsWith('.')).map((name) => join(stateDir, name));
  const live = folders.filter((folder) => !existsSync(join(folder, 'exit')));
  const killed = await Promise.all(live.map(killTask));
  return killed.filter(Boolean).length;
}

async function killTask(folder: string): Promise<boolean> {
  const supervisor = await pidIn(join(folder, 'pid'));
  const task = await pidIn(join(folder, 'started'));
  // The supervisor first, or it would record an end that nobody asked for.
  const found = [supervisor, task === null ? null : -task].map((pid) => pid !== null && kill(pid));
  return found.includes(true);
}

async function pidIn(file: string): Promise<number | null> {
  try {
    return Claim.parse(JSON.parse(await readFile(file, 'utf8'))).pid;
  } catch {
    return null;
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}
