/** Reads the launcher's log, JSON lines on its standard output, for what the demo tells of. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** One line, as far as the demo reads it. */
export interface LogRecord {
  /** Unix time. */
  readonly timeMs: number;
  /** Name of a wide event; undefined for other lines. */
  readonly event: string | undefined;
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface LauncherLog {
  /** The first record of the past that matches, if any. */
  find(match: (record: LogRecord) => boolean): LogRecord | undefined;
  /** Resolves with the first record that matches, past or future; never rejects. */
  next(match: (record: LogRecord) => boolean): Promise<LogRecord>;
  /** The newest events, warnings, errors and lines that are no JSON, for people. */
  tail(): string[];
}

/** Older events are dropped beyond this: `--stay` can go on for days. */
const RECORDS_MAX = 5_000;
const TAIL_LINES = 12;

/** Reads `streams` to their ends; `copy` gets every line. */
export function readLauncherLog(
  streams: readonly Readable[],
  copy: (line: string) => void,
): LauncherLog {
  const events: LogRecord[] = [];
  const tail: string[] = [];
  const waiting = new Set<(record: LogRecord) => void>();
  const take = (line: string) => {
    copy(line);
    const record = parseRecord(line);
    if (!record || record.level === 'warn' || record.level === 'error' || record.event) {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
    }
    if (!record?.event) return;
    events.push(record);
    if (events.length > RECORDS_MAX) events.shift();
    for (const offer of waiting) offer(record);
  };
  for (const stream of streams) createInterface({ input: stream }).on('line', take);
  const find: LauncherLog['find'] = (match) => events.find(match);
  return {
    find,
    next: (match) =>
      new Promise((resolve) => {
        const past = find(match);
        if (past) return resolve(past);
        const offer = (record: LogRecord) => {
          if (!match(record)) return;
          waiting.delete(offer);
          resolve(record);
        };
        waiting.add(offer);
      }),
    tail: () => [...tail],
  };
}

/** Null for a line that is no JSON object with a time. */
export function parseRecord(line: string): LogRecord | null {
  const fields = parseObject(line);
  if (!fields) return null;
  const { event, level, time } = fields;
  const timeMs = typeof time === 'string' ? Date.parse(time) : Number(time);
  if (!Number.isFinite(timeMs)) return null;
  return {
    timeMs,
    event: typeof event === 'string' ? event : undefined,
    level: typeof level === 'string' ? level : '',
    fields,
  };
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
