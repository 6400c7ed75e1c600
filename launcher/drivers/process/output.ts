/**
 * `logs` of the process engine: reads the file that a task's two streams are written to.
 *
 * It is read in pieces of bounded size, from its end backwards to find the last lines, then forwards.
 * A file tells nobody that it grew: while it is followed, it is looked at a few times a second.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogsOptions, Output, TaskId, TaskKey } from '../../driver.ts';
import { keyOfId, lookAt } from './calls.ts';
import { codeOf, driverErrorOf } from './errors.ts';
import { FILES } from './records.ts';

const PIECE_BYTES = 64 * 1024;
const LOOK_EVERY_MS = 250;
const NEWLINE = 0x0a;

/** The contract's `logs`. */
export async function logs(
  root: string,
  taskId: TaskId,
  options: LogsOptions,
  signal: AbortSignal,
): Promise<Output | null> {
  const key = keyOfId(taskId);
  if (key === null || (await phaseOf(root, key, taskId)) === null) return null;
  return untilAborted(outputOf({ root, key, taskId }, options, signal), signal);
}

async function* untilAborted(output: Output, signal: AbortSignal): Output {
  try {
    yield* output;
  } catch (error) {
    if (!signal.aborted) throw driverErrorOf(error);
  }
}

interface Place {
  readonly root: string;
  readonly key: TaskKey;
  readonly taskId: TaskId;
}

async function* outputOf(
  { root, key, taskId }: Place,
  { tail, follow }: LogsOptions,
  signal: AbortSignal,
): Output {
  const decoder = new TextDecoder();
  const name = join(root, key, FILES.log);
  let file = await openIfThere(name);
  try {
    let at = file === null ? 0 : await startOfTail(file, tail);
    for (;;) {
      // In this order: what a task wrote before it ended is read after it was seen ended.
      const phase = await phaseOf(root, key, taskId);
      file ??= await openIfThere(name);
      for (;;) {
        const piece = file === null ? NOTHING : await read(file, at, PIECE_BYTES);
        if (piece.length === 0 || signal.aborted) break;
        at += piece.length;
        yield decoder.decode(piece, { stream: true });
      }
      if (!follow || phase === null || phase === 'ended' || signal.aborted) return;
      await delay(LOOK_EVERY_MS, undefined, { signal });
    }
  } finally {
    await file?.close();
  }
}

const NOTHING = new Uint8Array();

/** Null when the task is not there (any more). */
async function phaseOf(root: string, key: TaskKey, taskId: TaskId) {
  const seen = await lookAt(root, key);
  return seen?.task.taskId === taskId ? seen.task.phase : null;
}

/** Null before the task has begun to run. */
async function openIfThere(name: string): Promise<FileHandle | null> {
  try {
    return await open(name, 'r');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Where the last lines begin; a last line without an end is one too. */
async function startOfTail(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  let found = 0;
  for (let end = size; end > 0;) {
    const begin = Math.max(end - PIECE_BYTES, 0);
    const piece = await read(file, begin, end - begin);
    for (let i = piece.length - 1; i >= 0; i -= 1) {
      const ends = piece[i] === NEWLINE && begin + i < size - 1;
      if (ends && (found += 1) === lines) return begin + i + 1;
    }
    end = begin;
  }
  return 0;
}

async function read(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
