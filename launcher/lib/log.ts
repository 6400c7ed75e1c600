/** What modules need of logging; `telemetry/` makes the real one, tests hand in a recorder. */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
  /**
   * One wide event per unit of work: flat snake_case keys, the reason included. `level` warn is for
   * work that went wrong. Never a room name, a participant identity or a secret.
   */
  event(name: EventName, fields: Fields, level?: 'debug' | 'info' | 'warn'): void;
}

export const EVENT_NAMES = [
  'webhook.receive',
  'pass.run',
  'task.launch',
  'standby.ready',
  'task.register',
  'task.assign',
  'task.active',
  'task.call',
  'task.ending',
  'task.end',
  'run.fail',
] as const;
export type EventName = (typeof EVENT_NAMES)[number];

/** A wide event as it was told, for what watches the launcher beside its log. */
export interface Told {
  /** Unix time. */
  readonly atMs: number;
  readonly event: EventName;
  readonly level: 'debug' | 'info' | 'warn';
  /** Without a secret; debug events are told whatever the log's level is. */
  readonly fields: Fields;
}

/** An error's message in one line, for a log or an answer. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}

function leftOut(): void {}

/** Tells nobody. */
export const SILENT: Log = {
  debug: leftOut,
  info: leftOut,
  warn: leftOut,
  error: leftOut,
  event: leftOut,
};
