/**
 * The launcher's log: JSON lines on standard output, made by pino. One wide event per unit of work
 * carries its name in the field `event`, so that a query needs no text search.
 *
 * Telemetry never breaks the work: a line that cannot be written is dropped. Metrics, the event
 * stream and traces are made of the same wide events: each listener hears of every one.
 */
import { type DestinationStream, destination as openDestination, type Logger, pino } from 'pino';
import type { Clock } from '../lib/clock.ts';
import type { Fields, Log, Told } from '../lib/log.ts';
import type { Secret } from '../lib/secret.ts';
import { type Redaction, redaction } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

export interface LogOptions {
  readonly level: LogLevel;
  /** Secrets whose values are masked wherever they would appear in a line. */
  readonly redact: readonly Secret[];
  /** Who else hears of each wide event: metrics, the event stream, traces. */
  readonly listeners?: readonly Listener[];
  readonly clock: Clock;
  /** Where the lines go; standard output by default. */
  readonly destination?: DestinationStream;
}

export type Listener = (told: Told) => void;

/** Makes the log. Lines are written at once, so that none is lost when the process exits. */
export function createLog(options: LogOptions): Log {
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? standardOutput(),
  );
  const redact = redaction(options.redact);
  const write = writer(logger, redact);
  const tell = teller(options, redact);
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
    event(event, fields, level = 'info') {
      write(level, undefined, { ...fields, event });
      tell({ event, level, fields });
    },
  };
}

/** All hear of an event the same: one time, too, by which traces know what start-ups noted. */
function teller({ listeners = [], clock }: LogOptions, redact: Redaction) {
  return ({ event, level, fields }: Omit<Told, 'atMs'>) => {
    const told: Told = { atMs: clock.nowMs(), event, level, fields: redact.fields(fields) };
    for (const listener of listeners) {
      try {
        listener(told);
      } catch {
        // Whoever watches must not stop the work, nor keep the others from hearing.
      }
    }
  };
}

type WriteLevel = Exclude<LogLevel, 'silent'>;

function writer(logger: Logger, redact: Redaction) {
  return (level: WriteLevel, message: string | undefined, fields: Fields = {}) => {
    try {
      if (!logger.isLevelEnabled(level)) return;
      logger[level](redact.fields(fields), message && redact.text(message));
    } catch {
      // A line is worth less than the work that it tells of.
    }
  };
}

/** Written synchronously. A reader that has gone away (a closed pipe) must not end the launcher. */
function standardOutput(): DestinationStream {
  const stream = openDestination({ fd: 1, sync: true });
  stream.on('error', () => {});
  return stream;
}
