/**
 * The values that labels of metrics may have, each a fixed few: whatever comes in, the number of time
 * series stays what it is. A room's name or sid, a task's key, an agent's name is never among them.
 */
import type { RunState } from '../core/remembered.ts';
import type { Verdict } from '../core/verdict.ts';
import type { Phase, RefusalReason } from '../driver.ts';
import type { Fields } from '../lib/log.ts';

/** What a value becomes that is not of the fixed few. */
const OTHER = 'other';

/** All members of a union of texts; one that is missing or too much does not compile. */
function all<T extends string>(members: Readonly<Record<T, true>>): readonly T[] {
  return Object.keys(members) as T[];
}

export const STATES = all<RunState>({
  skipped: true,
  waiting: true,
  launching: true,
  starting: true,
  running: true,
  serving: true,
  ending: true,
  served: true,
  failed: true,
});

export const PHASES = all<Phase>({ starting: true, running: true, stopping: true, ended: true });

export const VERDICTS = all<Verdict>({
  served: true,
  failed: true,
  fatal: true,
  displaced: true,
  unreadable: true,
});

export const REFUSALS = all<RefusalReason>({
  capacity: true,
  quota: true,
  throttled: true,
  pulling: true,
  image: true,
  denied: true,
  invalid: true,
});

export const ASSIGN_OUTCOMES = [
  'assigned',
  'resumed',
  'gone',
  'refused',
  'expired',
  'failed',
] as const;

/** LiveKit's events that are looked at, and all others. */
export const WEBHOOK_EVENTS = [
  'room_started',
  'room_finished',
  'participant_joined',
  'participant_left',
  'participant_connection_aborted',
  OTHER,
] as const;

export const WEBHOOK_REFUSALS = ['400', '401', '413'] as const;

/** What a task is for. */
export const TASK_KINDS = ['room', 'standby'] as const;

/** Is it a standby by its key, also once it serves a room? */
export function kindOfTask(key: string): (typeof TASK_KINDS)[number] {
  return key.startsWith('s-') ? 'standby' : 'room';
}

/** The value, if it is one of the few; else `other`. */
export function oneOf(few: readonly string[], value: Fields[string]): string {
  const text = String(value ?? '');
  return few.includes(text) ? text : OTHER;
}

/** The profile's name, if it is a profile's; else empty, which Prometheus takes for no label. */
export function profileLabel(profiles: readonly string[], value: Fields[string]): string {
  return typeof value === 'string' && profiles.includes(value) ? value : '';
}
