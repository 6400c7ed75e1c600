/**
 * Task keys: the one name under which a task is launched, listed and recognised after a restart.
 *
 * `r-<room sid>-<attempt>` serves a room. `s-<profile>-<slot>-<n>` is a standby, launched before there
 * is a room for it; `n` is random, so that no two launchers name the same one. Keys are parsed from
 * the right, because a sid may hold any of `[A-Za-z0-9_]` and a profile's name dashes.
 */
import { isTaskKey, type TaskKey } from '../driver.ts';
import { assert } from '../lib/assert.ts';
import type { RoomSid } from './room.ts';

const STANDBY_DIGITS = 8;

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

/** The attempt that a task is of its run; a standby is its room's first launch. */
export function attemptOf(key: TaskKey): number {
  return isStandbyKey(key) ? 1 : Number(key.slice(key.lastIndexOf('-') + 1));
}

export interface StandbyKey {
  readonly profile: string;
  /** From 0. */
  readonly slot: number;
}

/** A new key for a standby; `random` is in [0, 1). Throws for what cannot be part of a key. */
export function standbyKey({ profile, slot }: StandbyKey, random: number): TaskKey {
  const n = String(Math.floor(random * 10 ** STANDBY_DIGITS)).padStart(STANDBY_DIGITS, '0');
  const key = `s-${profile}-${slot}-${n}`;
  assert(isTaskKey(key), `no task key can be made of profile "${profile}" and slot ${slot}`);
  return key;
}

export function isStandbyKey(key: TaskKey): boolean {
  return key.startsWith('s-');
}

/** Profile and slot of a standby's key; null for a key that is none. */
export function parseStandbyKey(key: TaskKey): StandbyKey | null {
  const parts = isStandbyKey(key) ? /^s-(.+)-([0-9]+)-[0-9]+$/.exec(key) : null;
  return parts && { profile: parts[1]!, slot: Number(parts[2]) };
}
