/**
 * What this process saw, dated: sightings of agents, webhooks that no list repeats, ends and why.
 *
 * Losing it (a restart) costs time or one launch, never correctness: rooms and tasks themselves are
 * read from LiveKit and from the engine. Nothing here decides; `plan.ts` reads it.
 */
import type { ObservedTask, TaskKey } from '../driver.ts';
import { BlindTime } from './blind.ts';
import { isStandbyKey, parseRoomKey, type RoomKey } from './key.ts';
import type { Room, RoomSid } from './room.ts';
import { beginNewLife, newRoom, newTask, type RoomMemory, type TaskMemory } from './remembered.ts';
import { Standbys } from './standbys.ts';
import type { EndCause, Judgement } from './verdict.ts';

export class Memory {
  readonly rooms = new Map<RoomSid, RoomMemory>();
  readonly tasks = new Map<TaskKey, TaskMemory>();
  readonly standbys = new Standbys();
  /** When the first complete pass was done; null before. */
  firstPassAtMs: number | null = null;
  /** Begin of the newest complete list of all rooms. */
  #listedAtMs = -Infinity;
  readonly #sidsByName = new Map<string, Set<RoomSid>>();
  /** Of LiveKit's lists of rooms. */
  readonly #blind = new BlindTime();

  room(sid: RoomSid): RoomMemory {
    let room = this.rooms.get(sid);
    if (!room) this.rooms.set(sid, (room = newRoom(sid)));
    return room;
  }

  task(key: TaskKey): TaskMemory {
    let task = this.tasks.get(key);
    if (!task) {
      this.tasks.set(key, (task = newTask(key)));
      const of = parseRoomKey(key);
      if (of) this.room(of.sid).keys.add(key);
    }
    return task;
  }

  /** The room that a task serves, or is to serve; null for a standby without one. */
  sidOf(key: TaskKey): RoomSid | null {
    return parseRoomKey(key)?.sid ?? this.standbys.sidOf(key);
  }

  /** Is there a standby of another launcher's that may be alive, and of which no room is known? */
  get someUnclaimed(): boolean {
    for (const key of this.standbys.others) if (!this.tasks.get(key)?.judged) return true;
    return false;
  }

  /** Since when a task has been its room's; null for one that was not seen yet. */
  servesSinceMs(key: TaskKey): number | null {
    return this.standbys.get(key)?.room?.atMs ?? this.tasks.get(key)?.firstSeenAtMs ?? null;
  }

  /** Were all rooms listed since then, and everybody in each of them? */
  wereRoomsRead(sinceMs: number): boolean {
    if (this.#listedAtMs < sinceMs) return false;
    return [...this.rooms.values()].every(({ goneAtMs, lastListedAtMs, lookedAtMs }) => {
      return goneAtMs !== null || lastListedAtMs === null || (lookedAtMs ?? -Infinity) >= sinceMs;
    });
  }

  /** How long LiveKit told nothing about this room, in all: time that counts towards no deadline. */
  blindMs(sid: RoomSid, nowMs: number): number {
    return this.#blind.ms(nowMs) + (this.rooms.get(sid)?.unread.ms(nowMs) ?? 0);
  }

  /** LiveKit listed rooms, or did not answer. */
  noteLiveKit(answers: boolean, nowMs: number): void {
    this.#blind.note(answers, nowMs);
  }

  /** The lives of a name that are remembered. */
  named(name: string): RoomMemory[] {
    return [...(this.#sidsByName.get(name) ?? [])].map((sid) => this.room(sid));
  }

  /** A webhook about a room; `alive`: somebody came, or it started. */
  noteNudge(sid: RoomSid, name: string, alive: boolean, nowMs: number): void {
    const room = this.#nameRoom(sid, name);
    if (alive && room.goneAtMs !== null) room.nudgedAtMs = nowMs;
    else if (room.lastListedAtMs === null) room.nudgedAtMs ??= nowMs;
  }

  /** A webhook said how many are in a room that is known. */
  noteParticipants(sid: RoomSid, participants: number): void {
    const room = this.rooms.get(sid);
    if (room) room.participants = participants;
  }

  noteFinished(sid: RoomSid, name: string, nowMs: number): void {
    this.#nameRoom(sid, name).finishedAtMs = nowMs;
  }

  noteLeave(key: TaskKey, reason: number, nowMs: number): void {
    if (this.tasks.has(key)) this.task(key).leave = { atMs: nowMs, reason };
  }

  /** A complete list of all rooms (`name` null) or of all rooms of one name. */
  noteRooms(rooms: readonly Room[], name: string | null, begunAtMs: number): void {
    const shown = new Set(rooms.map((room) => room.sid));
    if (name === null) this.#listedAtMs = Math.max(this.#listedAtMs, begunAtMs);
    for (const { sid, name: roomName, metadata, createdAtMs, participants } of rooms) {
      const room = this.#nameRoom(sid, roomName);
      room.createdAtMs = createdAtMs;
      // Of two lists that cross, the one that began later is right, whichever is answered first.
      const newestMs = Math.max(room.lastListedAtMs ?? -Infinity, room.absent?.lastMs ?? -Infinity);
      if (begunAtMs < newestMs) continue;
      if (room.goneAtMs !== null) beginNewLife(room, begunAtMs);
      room.participants = participants ?? room.participants;
      Object.assign(room, { metadata, lastListedAtMs: begunAtMs, absent: null, nudgedAtMs: null });
      room.succeeded = false;
      this.#noteSuccession(room);
    }
    for (const room of name === null ? this.rooms.values() : this.named(name)) {
      if (shown.has(room.sid)) continue;
      if (begunAtMs <= (room.lastListedAtMs ?? -Infinity)) continue;
      room.absent ??= { firstMs: begunAtMs, lastMs: begunAtMs };
      room.absent.lastMs = Math.max(room.absent.lastMs, begunAtMs);
    }
  }

  /** A complete list of tasks. */
  noteTasks(tasks: readonly ObservedTask[], nowMs: number): void {
    for (const { key, phase } of tasks) {
      if (key === null) continue;
      const of = parseRoomKey(key);
      if (of) this.#noteAttempt(of);
      else this.standbys.note(key);
      const task = this.task(key);
      task.firstSeenAtMs ??= nowMs;
      // A launch whose answer was lost is repeated, also when its task was ended and removed meanwhile.
      if (phase !== 'ended') Object.assign(task, { seenAlive: true, removed: false });
      if (phase === 'running') {
        task.running ??= { atMs: nowMs, blindMs: of ? this.blindMs(of.sid, nowMs) : 0 };
      }
    }
  }

  /** A look at a room's participants, begun then: whose agent sits there, and whose does not. */
  noteAgent(
    sid: RoomSid,
    present: TaskKey | null,
    liveKeys: readonly TaskKey[],
    begunAtMs: number,
    nowMs: number,
  ): void {
    for (const key of liveKeys) {
      const task = this.task(key);
      if (key === present) {
        Object.assign(task, { sighted: true, missing: null });
        // A look that was under way when it left does not show it back.
        if (task.leave && task.leave.atMs < begunAtMs) task.leave = null;
      } else if (task.sighted) {
        task.missing ??= { sinceMs: nowMs, looks: 0, blindMs: this.blindMs(sid, nowMs) };
        task.missing.looks += 1;
      }
    }
  }

  /** Live tasks that the engine does not know any more: they ended unseen. */
  noteVanished(keys: readonly TaskKey[], nowMs: number): void {
    const judgement = { verdict: 'failed', reason: 'vanished from the engine' } as const;
    for (const key of keys) if (!this.task(key).judged) this.noteEnd(key, judgement, nowMs, nowMs);
  }

  /** What a task's end meant; `endedAtMs` by the engine's clock. */
  noteEnd(key: TaskKey, judgement: Judgement, endedAtMs: number, nowMs: number): void {
    const task = this.task(key);
    task.judged = { ...judgement, endedAtMs, atMs: nowMs };
    const standby = this.standbys.idle.get(key);
    if (!standby?.made || task.ending?.cause === 'retired') return;
    this.standbys.noteFailure(standby.profile, judgement.reason, nowMs);
  }

  noteEnding(key: TaskKey, cause: EndCause, reason: string, nowMs: number): void {
    this.task(key).ending = { cause, reason, atMs: nowMs, stopAskedAtMs: null };
  }

  /** Frees rooms that are over and of which no task is left; returns them. */
  prune(isFreeable: (room: RoomMemory) => boolean): RoomMemory[] {
    const freed = [...this.rooms.values()].filter(isFreeable);
    for (const room of freed) {
      this.rooms.delete(room.sid);
      for (const key of room.keys) {
        this.tasks.delete(key);
        if (isStandbyKey(key)) this.standbys.forget(key);
      }
      const lives = this.#sidsByName.get(room.name ?? '');
      lives?.delete(room.sid);
      if (room.name !== null && lives?.size === 0) this.#sidsByName.delete(room.name);
    }
    return freed;
  }

  #noteAttempt({ sid, attempt }: RoomKey): void {
    const room = this.room(sid);
    room.highestAttempt = Math.max(room.highestAttempt, attempt);
    if (room.trouble && room.trouble.attempt <= attempt) room.trouble = null;
  }

  /** By LiveKit's own times, so that a list from an old cache cannot end the younger one. */
  #noteSuccession({ name, createdAtMs }: RoomMemory): void {
    for (const other of name === null ? [] : this.named(name)) {
      if ((other.createdAtMs ?? Infinity) < (createdAtMs ?? 0)) other.succeeded = true;
    }
  }

  #nameRoom(sid: RoomSid, name: string): RoomMemory {
    const room = this.room(sid);
    room.name = name;
    const lives = this.#sidsByName.get(name) ?? new Set();
    this.#sidsByName.set(name, lives.add(sid));
    return room;
  }
}
