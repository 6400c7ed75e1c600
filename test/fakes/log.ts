/** A log that keeps its lines for a test to read. */
import type { Fields, Log } from '../../launcher/lib/log.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** The message, or the name of a wide event. */
  readonly text: string;
  readonly fields: Fields;
}

export class RecordedLog implements Log {
  readonly lines: LogLine[] = [];

  debug(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'debug', text: message, fields });
  }
  info(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'info', text: message, fields });
  }
  warn(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'warn', text: message, fields });
  }
  error(message: string, fields: Fields = {}): void {
    this.lines.push({ level: 'error', text: message, fields });
  }
  event(name: string, fields: Fields, level: 'debug' | 'info' | 'warn' = 'info'): void {
    this.lines.push({ level, text: name, fields });
  }
}
