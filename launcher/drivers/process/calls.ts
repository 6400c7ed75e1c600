/**
 * What the process engine can be asked: name a task, look at folders, start a supervisor, signal,
 * take away. Each call is one step that a crash leaves either done or not done.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isTaskKey, type TaskKey } from '../../driver.ts';
import { damaged, type Findings, type Sighting, sightingOf } from './convert.ts';
import { codeOf } from './errors.ts';
import { identityOf } from './identity.ts';
import {
  FILES,
  type Order,
  parseClaim,
  parseExit,
  parseStarted,
  parseTask,
  STAGING_FOLDER,
  type TaskRecord,
} from './records.ts';

/** Looks at a folder that seems damaged: it may just be removed, or named again. */
const LOOKS_MAX = 3;
/** Folders read at once: bounds the open files of one list. */
const READS_AT_ONCE_MAX = 16;

/** Makes the deployment's directory, readable by its owner alone. */
export async function prepare(root: string): Promise<void> {
  await mkdir(join(root, STAGING_FOLDER), { recursive: true, mode: 0o700 });
  await chmod(root, 0o700);
}

/**
 * Names a task: its folder appears under the key whole, with its id and template, or not at all.
 * False when the name is taken.
 */
export async function nameTask(root: string, key: TaskKey, template: string): Promise<boolean> {
  const staged = join(root, STAGING_FOLDER, unique());
  const record: TaskRecord = { id: `${key}.${unique()}`, template };
  await mkdir(staged, { mode: 0o700 });
  try {
    await writeFile(join(staged, FILES.task), JSON.stringify(record), { mode: 0o600 });
    await rename(staged, join(root, key));
    return true;
  } catch (error) {
    await rm(staged, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error))) return false;
    throw error;
  }
}

/** The key in an id that `nameTask` made; null for any other text. */
export function keyOfId(id: string): TaskKey | null {
  const key = id.slice(0, Math.max(id.lastIndexOf('.'), 0));
  return isTaskKey(key) ? key : null;
}

/** All that stands in a deployment's directory, except hidden names, which are no tasks. */
export async function lookAtAll(root: string, signal: AbortSignal): Promise<readonly Sighting[]> {
  const names = (await readdir(root)).filter((name) => !name.startsWith('.'));
  const sightings: (Sighting | null)[] = [];
  for (let next = 0; next < names.length; next += READS_AT_ONCE_MAX) {
    signal.throwIfAborted();
    const some = names.slice(next, next + READS_AT_ONCE_MAX);
    sightings.push(...(await Promise.all(some.map((name) => lookAt(root, name)))));
  }
  return sightings.filter((sighting) => sighting !== null);
}

/** One name of the directory; null when there is no such name (any more). */
export async function lookAt(root: string, name: string): Promise<Sighting | null> {
  const folder = join(root, name);
  let madeAtMs = 0;
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const seenAtMs = await timeOf(folder);
    // Only a directory that is there can say that something in it is not.
    if (seenAtMs === null) return readdir(root).then(() => null);
    madeAtMs = seenAtMs;
    const record = await recordOf(folder);
    if (!isTaskKey(name) || record === null || keyOfId(record.id) !== name) continue;
    const sighting = sightingOf(await findings(folder, name, record));
    // What was read belongs together only if the folder is still the same task's.
    if ((await recordOf(folder))?.id === record.id) return sighting;
  }
  return damaged(name, madeAtMs);
}

async function findings(folder: string, key: TaskKey, record: TaskRecord): Promise<Findings> {
  const claim = await read(folder, FILES.claim, parseClaim);
  const pid = claim !== null && claim !== 'unreadable' && 'pid' in claim ? claim : null;
  const supervisorAlive = isAlive(pid);
  // In this order: what a supervisor wrote before it went is seen after it was seen gone.
  const started = await read(folder, FILES.started, parseStarted);
  const exit = await read(folder, FILES.exit, parseExit);
  return {
    key,
    record,
    createdAtMs: (await timeOf(join(folder, FILES.task))) ?? 0,
    claim,
    started,
    exit,
    stopping: exit === null && (await timeOf(join(folder, FILES.stopping))) !== null,
    supervisorAlive,
    childAlive: !supervisorAlive && exit === null && started !== 'unreadable' && isAlive(started),
    lastSignMs: await lastSignOf(folder),
  };
}

/**
 * Starts a supervisor and hands it its order; resolves once it has been told. Neither secrets nor
 * the command stand on its command line, and its own environment is the machine's essentials.
 */
export async function startSupervisor(
  file: string,
  folder: string,
  order: Order,
  env: Readonly<Record<string, string>>,
): Promise<void> {
  const supervisor = spawn(process.execPath, [file, folder], {
    detached: true,
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  supervisor.unref();
  await once(supervisor, 'spawn');
  const { stdin } = supervisor;
  await new Promise<void>((resolve) => {
    // One that died unread leaves the task to be started by a repeat.
    stdin.once('error', () => resolve());
    stdin.end(JSON.stringify(order), () => resolve());
  });
}

/** Sends a signal; false when there is no such process or group. */
export function sendSignal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Takes a task's folder out of the list at once, then deletes it. Another task's stays. */
export async function takeAway(root: string, key: TaskKey, id: string): Promise<void> {
  const moved = join(root, STAGING_FOLDER, unique());
  try {
    await rename(join(root, key), moved);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await recordOf(moved))?.id === id) await rm(moved, { recursive: true, force: true });
  // Another launcher removed ours first, and the key was named again: put the newcomer back.
  else await rename(moved, join(root, key));
}

function isAlive(claim: { readonly pid: number; readonly identity: string } | null): boolean {
  return claim !== null && identityOf(claim.pid) === claim.identity;
}

function unique(): string {
  return randomBytes(8).toString('hex');
}

async function recordOf(folder: string): Promise<TaskRecord | null> {
  const record = await read(folder, FILES.task, parseTask);
  return record === 'unreadable' ? null : record;
}

async function read<T>(
  folder: string,
  name: string,
  parse: (text: string) => T | null,
): Promise<T | 'unreadable' | null> {
  try {
    return parse(await readFile(join(folder, name), 'utf8')) ?? 'unreadable';
  } catch (error) {
    if (codeOf(error) === 'EISDIR') return 'unreadable';
    if (isAbsence(error)) return null;
    throw error;
  }
}

/** When a file was last written, in whole milliseconds; null when it is not there. */
async function timeOf(path: string): Promise<number | null> {
  try {
    return Math.floor((await stat(path)).mtimeMs);
  } catch (error) {
    if (isAbsence(error)) return null;
    throw error;
  }
}

async function lastSignOf(folder: string): Promise<number> {
  const times = await Promise.all(Object.values(FILES).map((name) => timeOf(join(folder, name))));
  return Math.max(...times.map((time) => time ?? 0));
}

/** ENOTDIR: a plain file stands where a folder was looked for. */
function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}
