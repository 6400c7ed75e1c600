/** How the dashboard says things: durations, sizes, verdicts and events in words. Pure. */
import type { NumberedEvent, TaskRow } from '../ports.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A stretch of time in two units at most: `42s`, `5m 3s`, `2h 10m`, `3d 4h`; client.js says the same. */
export function ageOf(ms: number): string {
  const at = Math.max(0, ms);
  if (at < MINUTE_MS) return `${Math.floor(at / SECOND_MS)}s`;
  if (at < HOUR_MS) return two(at, MINUTE_MS, 'm', SECOND_MS, 's');
  return at < DAY_MS ? two(at, HOUR_MS, 'h', MINUTE_MS, 'm') : two(at, DAY_MS, 'd', HOUR_MS, 'h');
}

function two(ms: number, big: number, bigName: string, small: number, smallName: string): string {
  return `${Math.floor(ms / big)}${bigName} ${Math.floor((ms % big) / small)}${smallName}`;
}

/** How long a step took, exactly enough to compare: `84 ms`, `1.24 s`, `38 s`, `5m 3s`. */
export function tookOf(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND_MS) return `${(ms / SECOND_MS).toFixed(2)} s`;
  return ms < 2 * MINUTE_MS ? `${Math.round(ms / SECOND_MS)} s` : ageOf(ms);
}

export function memoryOf(bytes: number): string {
  const mib = bytes / 2 ** 20;
  return mib < 1024 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}

/** Of cores: 100 % is one of them. */
export function shareOf(cores: number): string {
  return cores < 0.1 ? `${(cores * 100).toFixed(1)} %` : `${Math.round(cores * 100)} %`;
}

const VERDICTS: Readonly<Record<string, string>> = {
  served: 'served',
  failed: 'failed',
  fatal: 'failed for good',
  displaced: 'made way for another',
  unreadable: 'end not readable',
};

/** What a task's end meant; `ended` until that was decided. */
export function verdictOf({ verdict }: Pick<TaskRow, 'verdict'>): string {
  return verdict === null ? 'ended' : (VERDICTS[verdict] ?? verdict);
}

/** An event's own words, without whose it was. */
export function wordsOf({ event, fields }: Pick<NumberedEvent, 'event' | 'fields'>): string {
  const { outcome, reason, took_ms: tookMs } = fields;
  const took = typeof tookMs === 'number' ? ` in ${tookOf(tookMs)}` : '';
  switch (event) {
    case 'webhook.receive': {
      const refused = fields['status'] === 200 ? '' : `refused with ${fields['status']}: `;
      return refused ? `${refused}${said(reason)}` : said(fields['webhook_event']);
    }
    case 'task.launch':
      return sentence(`${said(outcome)}${took}`, fields['refusal'], fields['detail'] ?? reason);
    case 'task.register':
      return `registered ${timeOf(fields['since_connect_ms'])} after it dialled`;
    case 'standby.ready':
      return `ready ${timeOf(fields['since_launch_ms'])} after its launch`;
    case 'task.active':
      return `its agent is in the room (seen by ${said(fields['seen_by'])})`;
    case 'task.end':
      return sentence(`${said(fields['verdict'])} after ${timeOf(fields['ran_ms'])}`, reason);
    default:
      return sentence(said(outcome), fields['method'], reason);
  }
}

function timeOf(ms: unknown): string {
  return typeof ms === 'number' ? tookOf(ms) : 'some time';
}

function said(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function sentence(...parts: readonly unknown[]): string {
  return parts.map(said).filter(Boolean).join(': ');
}
