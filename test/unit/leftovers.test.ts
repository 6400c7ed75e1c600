import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { killLeftovers } from '../../launcher/dev/leftovers.ts';

let stateDir = '';
const children: ReturnType<typeof spawn>[] = [];

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'leftovers-test-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(stateDir, { recursive: true, force: true });
});

/** A process that leads its own group and would go on for a minute. */
async function sleeper(): Promise<ReturnType<typeof spawn>> {
  const forAMinute = 'setTimeout(() => {}, 60_000)';
  const child = spawn(process.execPath, ['-e', forAMinute], { detached: true, stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child;
}

async function task(key: string, files: Record<string, object>): Promise<void> {
  await mkdir(join(stateDir, key));
  for (const [name, record] of Object.entries(files))
    await writeFile(join(stateDir, key, name), JSON.stringify(record));
}

it('kills supervisors and tasks without a recorded end, and nothing else', async () => {
  const [supervisor, started, ended] = [await sleeper(), await sleeper(), await sleeper()];
  const gone = [once(supervisor, 'exit'), once(started, 'exit')];
  await task('r-RM_a-1', { pid: { pid: supervisor.pid }, started: { pid: started.pid } });
  await task('r-RM_b-1', { pid: { pid: ended.pid }, exit: { code: 0 } });
  await task('r-RM_c-1', { pid: { pid: 1 } });
  await task('r-RM_d-1', {});
  expect(await killLeftovers(stateDir)).toBe(1);
  expect(await Promise.all(gone)).toEqual([
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  expect(ended.exitCode ?? ended.signalCode).toBeNull();
});

it('has nothing to do without a directory', async () => {
  expect(await killLeftovers(join(stateDir, 'none'))).toBe(0);
});
