/**
 * Task keys: the one name under which a task is launched, listed and recognised after a restart.
 *
 * `r-<room sid>-<attempt>` serves a room. Keys are parsed from the right, because a sid may hold
 * any of `[A-Za-z0-9_]`.
 */
import { isTaskKey, type TaskKey } from '../driver.ts';
import { assert } from '../lib/assert.ts';
import type { RoomSid } from './room.ts';

export interface RoomKey {
  readonly sid: RoomSid;
  /** From 1. */
  readonly attempt: number;
}

/** The key of a room's attempt. Throws for a sid or an attempt that cannot be part of a key. */
export function roomKey(sid: RoomSid, attempt: number): TaskKey {
  const key = `r-${sid}-${attempt}`;
  assert(isTaskKey(key), `no task key can be made of sid "${sid}" and attempt ${attempt}`);
  return key;
}

/** Room and attempt of a key; null for a key that names no room. */
export function parseRoomKey(key: TaskKey): RoomKey | null {
  if (!key.startsWith('r-')) return null;
  const dash = key.lastIndexOf('-');
  return { sid: key.slice(2, dash) as RoomSid, attempt: attemptOf(key) };
}

/** The attempt of a room's key: the number after its last dash. */
export function attemptOf(key: TaskKey): number {
  return Number(key.slice(key.lastIndexOf('-') + 1));
}
