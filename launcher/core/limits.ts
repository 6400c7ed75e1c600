/**
 * How many launches may be under way, per second, and per room name; what waits, waits in order.
 *
 * A launch is under way until its task has registered, has ended, or had time enough: what a machine
 * that runs its own tasks is short of is cores, and a start costs most of its time there.
 *
 * The per-name rate breaks the one loop that a correct launcher could still be drawn into: something
 * that brings a room back each time it ends.
 */
import type { RoomSid } from './room.ts';

/** After this long a launch is under way no more, registered or not. */
const START_MS = 15_000;

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
  #lastSecondMs: number[] = [];
  readonly #byName = new Map<string, number[]>();

  constructor(bounds: LaunchBounds) {
    this.#bounds = bounds;
  }

  /** May this room's launch go out now? One that may not is remembered in line. */
  turn(sid: RoomSid, name: string, nowMs: number): Turn {
    const recent = this.#recentByName(name, nowMs);
    const oldest = recent[recent.length - this.#bounds.perNamePerMinute];
    if (oldest !== undefined) {
      this.#waiting.delete(sid);
      const reason = `this room name had ${recent.length} launches within a minute`;
      return { go: false, untilMs: oldest + 60_000, reason };
    }
    if (this.#inFlight.has(sid)) return { go: true };
    this.#waiting.set(sid, name);
    const ahead = [...this.#waiting.keys()].indexOf(sid);
    if (ahead > 0)
      return { go: false, untilMs: null, reason: `waits for ${ahead} rooms before it` };
    const [firstSentAtMs] = this.#underWay(nowMs);
    if (firstSentAtMs !== undefined && this.#inFlight.size >= this.#bounds.inFlight) {
      const reason = `waits for ${this.#inFlight.size} launches that are under way`;
      return { go: false, untilMs: firstSentAtMs + START_MS, reason };
    }
    this.#lastSecondMs = this.#lastSecondMs.filter((at) => at > nowMs - 1_000);
    const first = this.#lastSecondMs[this.#lastSecondMs.length - this.#bounds.perSecond];
    if (first === undefined) return { go: true };
    return { go: false, untilMs: first + 1_000, reason: 'waits for the launch rate' };
  }

  /** A launch goes out. */
  sent(sid: RoomSid, name: string, nowMs: number): void {
    this.#waiting.delete(sid);
    // A map keeps a key's first place: deleted first, so that the order stays that of the times.
    this.#inFlight.delete(sid);
    this.#inFlight.set(sid, nowMs);
    this.#lastSecondMs.push(nowMs);
    this.#byName.set(name, [...this.#recentByName(name, nowMs), nowMs]);
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
    return [...this.#waiting.values()][0] ?? null;
  }

  /** Forgets names without a recent launch, so that memory stays bounded by recent rooms. */
  prune(nowMs: number): void {
    for (const name of this.#byName.keys()) {
      if (this.#recentByName(name, nowMs).length === 0) this.#byName.delete(name);
    }
  }

  #underWay(nowMs: number): IterableIterator<number> {
    for (const [sid, sentAtMs] of this.#inFlight) {
      if (sentAtMs + START_MS <= nowMs) this.#inFlight.delete(sid);
    }
    return this.#inFlight.values();
  }

  #recentByName(name: string, nowMs: number): number[] {
    return (this.#byName.get(name) ?? []).filter((at) => at > nowMs - 60_000);
  }
}
