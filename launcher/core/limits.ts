/**
 * How many launches may be under way, per second, and per room name; what waits, waits in order.
 *
 * A launch is under way until its task has registered, has ended, or had time enough: what a machine
 * that runs its own tasks is short of is cores, and a start costs most of its time there.
 *
 * Standbys have a budget of their own, take what rooms leave of the rate, and wait while a room stands
 * in line: a room's launch never waits for one of theirs.
 *
 * The per-name rate breaks the one loop that a correct launcher could still be drawn into: something
 * that brings a room back each time it ends.
 */
import type { TaskKey } from '../driver.ts';
import type { RoomSid } from './room.ts';

/** After this long a launch is under way no more, registered or not. */
const START_MS = 15_000;
/** Standbys that may start beside rooms' launches, as a part of these. */
const STANDBY_PART = 0.5;

export interface LaunchBounds {
  readonly inFlight: number;
  readonly perSecond: number;
  readonly perNamePerMinute: number;
}

export type Turn =
  | { readonly go: true }
  /** `untilMs` null: the room is called when its turn comes. */
  | { readonly go: false; readonly untilMs: number | null; readonly reason: string };

export class LaunchLimits {
  readonly #bounds: LaunchBounds;
  /** When each was sent, in that order. */
  readonly #inFlight = new Map<RoomSid, number>();
  /** In the order of arrival. */
  readonly #waiting = new Map<RoomSid, string>();
  #roomsSentMs: number[] = [];
  #standbysSentMs: number[] = [];
  readonly #byName = new Map<string, number[]>();
  /** Like `#inFlight`. */
  readonly #standbys = new Map<TaskKey, number>();

  constructor(bounds: LaunchBounds) {
    this.#bounds = bounds;
  }

  /** May this room's launch go out now? One that may not is remembered in line. */
  turn(sid: RoomSid, name: string, nowMs: number): Turn {
    const named = this.turnOfName(sid, name, nowMs);
    if (!named.go) return named;
    if (this.#inFlight.has(sid)) return { go: true };
    this.#waiting.set(sid, name);
    const [first] = this.#waiting.keys();
    if (first !== sid) return { go: false, untilMs: null, reason: 'waits for the rooms before it' };
    const [firstSentAtMs] = underWay(this.#inFlight, nowMs);
    if (firstSentAtMs !== undefined && this.#inFlight.size >= this.#bounds.inFlight) {
      const reason = `waits for ${this.#inFlight.size} launches that are under way`;
      return { go: false, untilMs: firstSentAtMs + START_MS, reason };
    }
    return this.#turnOfRate(this.#roomsSentMs, nowMs);
  }

  /** May a room of this name get another task, be it a standby? */
  turnOfName(sid: RoomSid, name: string, nowMs: number): Turn {
    const recent = this.#recentByName(name, nowMs);
    const oldest = recent[recent.length - this.#bounds.perNamePerMinute];
    if (oldest === undefined) return { go: true };
    this.#waiting.delete(sid);
    const reason = `this room name had ${recent.length} launches within a minute`;
    return { go: false, untilMs: oldest + 60_000, reason };
  }

  /** May a standby be launched now? */
  turnOfStandby(nowMs: number): Turn {
    const reason = 'rooms come first';
    if (this.#waiting.size > 0) return { go: false, untilMs: null, reason };
    const [firstSentAtMs] = underWay(this.#standbys, nowMs);
    const atOnce = Math.max(1, Math.floor(this.#bounds.inFlight * STANDBY_PART));
    if (firstSentAtMs !== undefined && this.#standbys.size >= atOnce) {
      const untilMs = firstSentAtMs + START_MS;
      return { go: false, untilMs, reason: 'other standbys are starting' };
    }
    return this.#turnOfRate([...this.#roomsSentMs, ...this.#standbysSentMs], nowMs);
  }

  /** A launch goes out. */
  sent(sid: RoomSid, name: string, nowMs: number): void {
    // A map keeps a key's first place: deleted first, so that the order stays that of the times.
    this.#inFlight.delete(sid);
    this.#inFlight.set(sid, nowMs);
    this.#roomsSentMs = [...lastSecond(this.#roomsSentMs, nowMs), nowMs];
    this.assigned(sid, name, nowMs);
  }

  /** The room was offered a standby: it wants no launch. */
  assigned(sid: RoomSid, name: string, nowMs: number): void {
    this.#waiting.delete(sid);
    this.#byName.set(name, [...this.#recentByName(name, nowMs), nowMs]);
  }

  /** A standby's launch goes out. */
  standbySent(key: TaskKey, nowMs: number): void {
    this.#standbys.delete(key);
    this.#standbys.set(key, nowMs);
    this.#standbysSentMs = [...lastSecond(this.#standbysSentMs, nowMs), nowMs];
  }

  /** It brought no task, or that has registered or ended; true when it was under way. */
  standbySettled(key: TaskKey): boolean {
    return this.#standbys.delete(key);
  }

  /** It brought no task, or its task has registered or ended; true when it was under way. */
  settled(sid: RoomSid): boolean {
    return this.#inFlight.delete(sid);
  }

  /** The room wants no launch any more; true when it stood in line. */
  leave(sid: RoomSid): boolean {
    return this.#waiting.delete(sid);
  }

  /** Name of the room whose turn it may be. */
  next(): string | null {
    const [first = null] = this.#waiting.values();
    return first;
  }

  /** The rooms that stand in line, the first one first. */
  waiting(): Iterable<RoomSid> {
    return this.#waiting.keys();
  }

  /** Forgets names without a recent launch, so that memory stays bounded by recent rooms. */
  prune(nowMs: number): void {
    for (const name of this.#byName.keys()) {
      if (this.#recentByName(name, nowMs).length === 0) this.#byName.delete(name);
    }
  }

  #turnOfRate(sentMs: readonly number[], nowMs: number): Turn {
    const recent = lastSecond(sentMs, nowMs).toSorted((a, b) => a - b);
    const first = recent[recent.length - this.#bounds.perSecond];
    if (first === undefined) return { go: true };
    return { go: false, untilMs: first + 1_000, reason: 'waits for the launch rate' };
  }

  #recentByName(name: string, nowMs: number): number[] {
    return (this.#byName.get(name) ?? []).filter((at) => at > nowMs - 60_000);
  }
}

function lastSecond(sentMs: readonly number[], nowMs: number): number[] {
  return sentMs.filter((at) => at > nowMs - 1_000);
}

/** When the launches that are still under way were sent, the first one first. */
function underWay<K>(inFlight: Map<K, number>, nowMs: number): Iterable<number> {
  for (const [key, sentAtMs] of inFlight) {
    if (sentAtMs + START_MS > nowMs) break;
    inFlight.delete(key);
  }
  return inFlight.values();
}
