/** A log that keeps errors and counts the rest: it stays small however much is said. */
import type { Log } from '../../../launcher/lib/log.ts';

export class CountingLog implements Log {
  readonly errors: string[] = [];
  warnings = 0;

  debug(): void {}
  info(): void {}
  warn(): void {
    this.warnings += 1;
  }
  error(message: string, fields: object = {}): void {
    this.errors.push(`${message} ${JSON.stringify(fields)}`);
  }
  event(_name: string, _fields: object, level?: string): void {
    if (level === 'warn') this.warnings += 1;
  }
}
