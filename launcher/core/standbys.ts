/**
 * What this process knows of standbys: which of them it made, which can take a room, and which room
 * each was offered or serves.
 *
 * Only a standby whose key this process made is ever offered a room: for any other, another launcher
 * may be doing just that. Losing all this (a restart) costs the standbys that wait, never a room: an
 * agent that sits in its room shows which standby it is.
 */
import type { TaskKey } from '../driver.ts';
import { parseStandbyKey } from './key.ts';
import type { RoomSid } from './room.ts';

/** A standby that said no to an offer is offered nothing for this long. */
const REST_MS = 5_000;
/** Without a failure for this long, those of before count no more. */
const TROUBLE_MS = 300_000;

export interface StandbyMemory {
  readonly key: TaskKey;
  readonly profile: string;
  readonly slot: number;
  /** Did this process make its key? */
  readonly made: boolean;
  /** Since when its worker has been registered here without a break. */
  lineSinceMs: number | null;
  /** When its worker registered here for the first time. */
  registeredAtMs: number | null;
  /** When its worker's line broke for the last time. */
  lineLostAtMs: number | null;
  /** It was said that it can take a room. */
  readySaid: boolean;
  /** The room that it was offered or serves. */
  room: { readonly sid: RoomSid; readonly atMs: number; readonly blindMs: number } | null;
  /** Its launch's answer was lost: it may exist. */
  unanswered: boolean;
  /** When a room's agent last said that it is this one. */
  shownAtMs: number | null;
  restsUntilMs: number;
  /** Why it can be offered nothing any more, and is to be replaced. */
  spent: string | null;
  /** Two rooms' agents claim to be it: whose it is cannot be told. */
  contested: boolean;
}

/** Of one profile: its standbys do not come up, or do not stay. */
export interface StandbyTrouble {
  /** In a row. */
  readonly failures: number;
  readonly atMs: number;
  readonly reason: string;
}

export class Standbys {
  /** Those that belong to no room. */
  readonly idle = new Map<TaskKey, StandbyMemory>();
  /** Of these, those that this process did not make. */
  readonly others = new Set<TaskKey>();
  readonly #taken = new Map<TaskKey, StandbyMemory>();
  /** Of those, the ones that may join yet: few, also where many serve. */
  readonly #joining = new Map<TaskKey, StandbyMemory>();
  readonly #bySid = new Map<RoomSid, Set<TaskKey>>();
  readonly #trouble = new Map<string, StandbyTrouble>();

  get(key: TaskKey): StandbyMemory | undefined {
    return this.idle.get(key) ?? this.#taken.get(key);
  }

  /** A key of this process's own, about to be launched. */
  noteMade(key: TaskKey): void {
    if (!this.get(key)) this.#keep(newStandby(key, true));
  }

  /** One that was listed, or whose worker dialled; another launcher's, if it is not known. */
  note(key: TaskKey): StandbyMemory {
    const known = this.get(key);
    if (known) return known;
    const standby = newStandby(key, false);
    this.#keep(standby);
    return standby;
  }

  /** The room that a standby was offered or serves. */
  sidOf(key: TaskKey): RoomSid | null {
    return this.#taken.get(key)?.room?.sid ?? null;
  }

  /** The standbys that a room was offered or has. */
  of(sid: RoomSid): Iterable<TaskKey> {
    return this.#bySid.get(sid) ?? [];
  }

  /** Rooms that have one. */
  sids(): Iterable<RoomSid> {
    return this.#bySid.keys();
  }

  /** Of a profile, those of this process that a room was offered or has, and that are not in it yet. */
  joining(profile: string): StandbyMemory[] {
    return [...this.#joining.values()].filter((standby) => standby.profile === profile);
  }

  /** Its agent is in its room. */
  noteJoined(key: TaskKey): void {
    this.#joining.delete(key);
  }

  /** From now on it is this room's. `blindMs`: how long LiveKit had been unreadable by then. */
  take(standby: StandbyMemory, sid: RoomSid, atMs: number, blindMs: number): void {
    standby.room = { sid, atMs, blindMs };
    this.idle.delete(standby.key);
    this.others.delete(standby.key);
    this.#taken.set(standby.key, standby);
    if (standby.made) this.#joining.set(standby.key, standby);
    this.#bySid.set(sid, (this.#bySid.get(sid) ?? new Set()).add(standby.key));
  }

  /** It is no room's any more: the offer came to nothing. */
  release(standby: StandbyMemory): void {
    this.forget(standby.key);
    standby.room = null;
    this.#keep(standby);
  }

  /** It said no. */
  rest(standby: StandbyMemory, nowMs: number): void {
    standby.restsUntilMs = nowMs + REST_MS;
  }

  forget(key: TaskKey): void {
    this.idle.delete(key);
    this.others.delete(key);
    const sid = this.#taken.get(key)?.room?.sid;
    this.#taken.delete(key);
    this.#joining.delete(key);
    const keys = sid && this.#bySid.get(sid);
    if (!sid || !keys) return;
    keys.delete(key);
    if (keys.size === 0) this.#bySid.delete(sid);
  }

  #keep(standby: StandbyMemory): void {
    this.idle.set(standby.key, standby);
    if (!standby.made) this.others.add(standby.key);
  }

  /** What stands in the way of this profile's standbys; null: nothing that still counts. */
  trouble(profile: string, nowMs: number): StandbyTrouble | null {
    const trouble = this.#trouble.get(profile);
    return trouble && nowMs - trouble.atMs < TROUBLE_MS ? trouble : null;
  }

  /** One could not be launched, did not come up, or ended by itself. */
  noteFailure(profile: string, reason: string, nowMs: number): void {
    const failures = (this.trouble(profile, nowMs)?.failures ?? 0) + 1;
    this.#trouble.set(profile, { failures, atMs: nowMs, reason });
  }

  /** One took a room. */
  noteSuccess(profile: string): void {
    this.#trouble.delete(profile);
  }
}

function newStandby(key: TaskKey, made: boolean): StandbyMemory {
  const { profile, slot } = parseStandbyKey(key)!;
  return {
    key,
    profile,
    slot,
    made,
    lineSinceMs: null,
    registeredAtMs: null,
    lineLostAtMs: null,
    readySaid: false,
    room: null,
    unanswered: false,
    shownAtMs: null,
    restsUntilMs: 0,
    spent: null,
    contested: false,
  };
}
