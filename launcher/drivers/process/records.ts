/**
 * The files of one task's folder: their names and what stands in them.
 *
 * Shared by the driver and the supervisor, which are different processes, possibly of different
 * versions: everything is written whole (a temporary file that is then renamed or linked) and read
 * with suspicion. Nothing secret stands in any of them.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const FILES = {
  /** Id and template; part of the folder from its first moment. */
  task: 'task.json',
  /** Who runs the task, or that nobody will. Created exclusively, once. */
  claim: 'pid',
  started: 'started',
  /** The shortest grace that a `stop` asked for: the supervisor may not have read the last one. */
  stop: 'stop',
  /** The supervisor has acted on a stop. */
  stopping: 'stopping',
  exit: 'exit',
  /** Standard output and standard error of the task. */
  log: 'log',
} as const;

/** In a deployment's directory: touched at every change, for `watch`. */
export const CHANGED_FILE = '.changed';
/** In a deployment's directory: what is being made or removed. Never read. */
export const STAGING_FOLDER = '.staging';

export interface TaskRecord {
  readonly id: string;
  readonly template: string;
}

export type ClaimRecord =
  | { readonly pid: number; readonly identity: string }
  /** Stopped before anybody ran it: the claim is also its end. */
  | { readonly endedWith: number };

export interface StartedRecord {
  readonly pid: number;
  readonly identity: string;
  readonly atMs: number;
}

export interface StopRecord {
  readonly graceMs: number;
  readonly reason: string;
}

export interface ExitRecord {
  readonly code: number;
  readonly detail: string;
  readonly atMs: number;
}

/** What the driver tells a supervisor on its standard input; holds secrets, never on disk. */
export interface Order {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Replaces a file of the folder as a whole. */
export function writeRecord(folder: string, name: string, record: object): void {
  const temporary = writeTemporary(folder, name, record);
  renameSync(temporary, join(folder, name));
}

/** Creates a file of the folder as a whole. False when it exists already. */
export function createRecord(folder: string, name: string, record: object): boolean {
  const temporary = writeTemporary(folder, name, record);
  try {
    linkSync(temporary, join(folder, name));
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** The grace that a `stop` asked for; null when nobody of ours asked. */
export function graceAsked(folder: string): number | null {
  try {
    return parseStop(readFileSync(join(folder, FILES.stop), 'utf8'))?.graceMs ?? null;
  } catch {
    return null;
  }
}

function writeTemporary(folder: string, name: string, record: object): string {
  const temporary = join(folder, `.${name}.${process.pid}`);
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
  return temporary;
}

// Each parser: null for a text that is not such a record.

export function parseTask(text: string): TaskRecord | null {
  const { id, template } = fieldsOf(text);
  return typeof id === 'string' && typeof template === 'string' ? { id, template } : null;
}

export function parseClaim(text: string): ClaimRecord | null {
  const { pid, identity, endedWith } = fieldsOf(text);
  if (typeof endedWith === 'number') return { endedWith };
  return isPid(pid) && typeof identity === 'string' ? { pid, identity } : null;
}

export function parseStarted(text: string): StartedRecord | null {
  const { pid, identity, atMs } = fieldsOf(text);
  const whole = isPid(pid) && typeof identity === 'string' && typeof atMs === 'number';
  return whole ? { pid, identity, atMs } : null;
}

export function parseStop(text: string): StopRecord | null {
  const { graceMs, reason } = fieldsOf(text);
  const whole = typeof graceMs === 'number' && typeof reason === 'string';
  return whole ? { graceMs, reason } : null;
}

export function parseExit(text: string): ExitRecord | null {
  const { code, detail, atMs } = fieldsOf(text);
  const whole = typeof code === 'number' && typeof detail === 'string' && typeof atMs === 'number';
  return whole ? { code, detail, atMs } : null;
}

export function parseOrder(text: string): Order | null {
  const { command, env } = fieldsOf(text);
  if (!Array.isArray(command) || typeof env !== 'object' || env === null) return null;
  const words = command.filter((word) => typeof word === 'string');
  const variables = Object.entries(env).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return { command: words, env: Object.fromEntries(variables) };
}

/** 1 is init: never ours, and a signal to group 1 would reach every process. */
function isPid(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 1;
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
