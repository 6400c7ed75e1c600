/**
 * How many launches may be under way, per second, and per room name; what waits, waits in order.
 *
 * The per-name rate breaks the one loop that a correct launcher could still be drawn into: something
 * that brings a room back each time it ends.
 */
import type { RoomSid } from './room.ts';

export interface LaunchBounds {
  /** Launches sent and not answered. */
  readonly inFlight: number;
  readonly perSecond: number;
  readonly perNamePerMinute: number;
}

export type Turn =
  | { readonly go: true }
  /** `untilMs` null: a launch in flight must settle first; the room is called when its turn comes. */
  | { readonly go: false; readonly untilMs: number | null; readonly reason: string };

export class LaunchLimits {
  readonly #bounds: LaunchBounds;
  readonly #inFlight = new Set<RoomSid>();
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
    const free = this.#bounds.inFlight - this.#inFlight.size;
    if (ahead >= free) {
      return { go: false, untilMs: null, reason: `waits for ${ahead - free + 1} earlier launches` };
    }
    this.#lastSecondMs = this.#lastSecondMs.filter((at) => at > nowMs - 1_000);
    const first = this.#lastSecondMs[this.#lastSecondMs.length - this.#bounds.perSecond];
    if (first === undefined) return { go: true };
    return { go: false, untilMs: first + 1_000, reason: 'waits for the launch rate' };
  }

  /** A launch goes out. */
  sent(sid: RoomSid, name: string, nowMs: number): void {
    this.#waiting.delete(sid);
    this.#inFlight.add(sid);
    this.#lastSecondMs.push(nowMs);
    this.#byName.set(name, [...this.#recentByName(name, nowMs), nowMs]);
  }

  /** Its answer is in. */
  settled(sid: RoomSid): void {
    this.#inFlight.delete(sid);
  }

  /** The room wants no launch any more; true when it stood in line. */
  leave(sid: RoomSid): boolean {
    return this.#waiting.delete(sid);
  }

  /** Names of the rooms whose turn it may be. */
  next(): string[] {
    const free = this.#bounds.inFlight - this.#inFlight.size;
    return [...this.#waiting.values()].slice(0, Math.max(free, 0));
  }

  /** Forgets names without a recent launch, so that memory stays bounded by recent rooms. */
  prune(nowMs: number): void {
    for (const name of this.#byName.keys()) {
      if (this.#recentByName(name, nowMs).length === 0) this.#byName.delete(name);
    }
  }

  #recentByName(name: string, nowMs: number): number[] {
    return (this.#byName.get(name) ?? []).filter((at) => at > nowMs - 60_000);
  }
}
