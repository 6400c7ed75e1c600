/**
 * What this process saw, dated: sightings of agents, webhooks that no list repeats, ends and why.
 *
 * Losing it (a restart) costs time or one launch, never correctness: rooms and tasks themselves are
 * read from LiveKit and from the engine. Nothing here decides; `plan.ts` reads it.
 */
import type { ObservedTask, Retry, TaskKey } from '../driver.ts';
import { parseRoomKey } from './key.ts';
import type { Room, RoomSid } from './room.ts';
import type { EndCause, Judgement } from './verdict.ts';

export interface RoomMemory {
  readonly sid: RoomSid;
  /** Null for a room known from its tasks only (after a restart). */
  name: string | null;
  /** By LiveKit's clock; null until a list shows it. */
  createdAtMs: number | null;
  /** First nudge about a sid that no list has shown yet. */
  nudgedAtMs: number | null;
  /** Begin of the newest list that showed it. */
  lastListedAtMs: number | null;
  /** Begin of the first and of the newest complete list without it, since it was last listed. */
  absent: { firstMs: number; lastMs: number } | null;
  /** When its room_finished arrived. */
  finishedAtMs: number | null;
  /** When this process was sure that it is over. */
  goneAtMs: number | null;
  /** Its attempts that this process knows. */
  readonly keys: Set<TaskKey>;
  /** Highest attempt that the engine answered or listed. */
  highestAttempt: number;
  /** The newest launch that brought no task. */
  trouble: LaunchTrouble | null;
  /** The run failed for good. */
  failed: { readonly atMs: number; readonly reason: string } | null;
  /** An operator ended the run: nothing is launched any more. */
  stopped: boolean;
  /** The newest decision, in words. */
  state: RunState;
  reason: string;
}

/** Where a room's run stands. */
export type RunState =
  /** For its turn, a backoff or a second look. */
  | 'waiting'
  /** Its launch is under way. */
  | 'launching'
  /** Accepted; the engine starts it. */
  | 'starting'
  /** Its task runs; its agent is not in the room. */
  | 'running'
  /** Its agent is in the room. */
  | 'serving'
  /** Its task is being ended or shuts down. */
  | 'ending'
  /** Done: its agent left for good, or the room is over. */
  | 'served'
  /** Given up until the room is over. */
  | 'failed';

export interface LaunchTrouble {
  readonly attempt: number;
  readonly outcome: 'refused' | 'unknown';
  /** What the engine advised; `same-key` for an unknown outcome. */
  readonly retry: Retry;
  readonly detail: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly atMs: number;
}

export interface TaskMemory {
  readonly key: TaskKey;
  /** Did this process launch it, or repeat its launch? */
  launched: boolean;
  /** First sight as running, and how long LiveKit had been unreadable in all by then. */
  running: { readonly atMs: number; readonly blindMs: number } | null;
  /** Was its agent ever seen in the room? */
  sighted: boolean;
  /** Looks at the room without its agent, since it was last seen there. */
  missing: { sinceMs: number; looks: number; blindMs: number } | null;
  /** Its agent left (webhook), with LiveKit's disconnect reason. */
  leave: { readonly atMs: number; readonly reason: number } | null;
  ending: {
    readonly cause: EndCause;
    readonly reason: string;
    readonly atMs: number;
    stopAskedAtMs: number | null;
  } | null;
  /** An operator asked for its end. */
  stopAsked: boolean;
  /** Its end, once seen. */
  judged: (Judgement & { readonly endedAtMs: number }) | null;
}

export class Memory {
  readonly rooms = new Map<RoomSid, RoomMemory>();
  readonly tasks = new Map<TaskKey, TaskMemory>();
  /** When the first complete pass was done; null before. */
  firstPassAtMs: number | null = null;
  readonly #sidsByName = new Map<string, Set<RoomSid>>();
  #blindSinceMs: number | null = null;
  #blindTotalMs = 0;

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

  /** How long LiveKit did not answer, in all: time that counts towards no deadline. */
  blindMs(nowMs: number): number {
    return this.#blindTotalMs + (this.#blindSinceMs === null ? 0 : nowMs - this.#blindSinceMs);
  }

  noteLiveKit(answers: boolean, nowMs: number): void {
    if (answers && this.#blindSinceMs !== null) {
      this.#blindTotalMs += nowMs - this.#blindSinceMs;
      this.#blindSinceMs = null;
    } else if (!answers) this.#blindSinceMs ??= nowMs;
  }

  /** The lives of a name that are remembered. */
  named(name: string): RoomMemory[] {
    return [...(this.#sidsByName.get(name) ?? [])].map((sid) => this.room(sid));
  }

  noteNudge(sid: RoomSid, name: string, nowMs: number): void {
    const room = this.#nameRoom(sid, name);
    if (room.lastListedAtMs === null) room.nudgedAtMs ??= nowMs;
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
    for (const { sid, name: roomName, createdAtMs } of rooms) {
      const room = this.#nameRoom(sid, roomName);
      room.createdAtMs = createdAtMs;
      if (begunAtMs < (room.lastListedAtMs ?? -Infinity)) continue;
      Object.assign(room, {
        lastListedAtMs: begunAtMs,
        absent: null,
        nudgedAtMs: null,
        goneAtMs: null,
      });
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
      const of = key === null ? null : parseRoomKey(key);
      if (key === null || of === null) continue;
      const room = this.room(of.sid);
      room.highestAttempt = Math.max(room.highestAttempt, of.attempt);
      if (room.trouble && room.trouble.attempt <= of.attempt) room.trouble = null;
      const task = this.task(key);
      if (phase === 'running') task.running ??= { atMs: nowMs, blindMs: this.blindMs(nowMs) };
    }
  }

  /** A look at a room's participants: which task's agent sits there, and whose does not. */
  noteAgent(present: TaskKey | null, liveKeys: readonly TaskKey[], nowMs: number): void {
    for (const key of liveKeys) {
      const task = this.task(key);
      if (key === present) Object.assign(task, { sighted: true, missing: null, leave: null });
      else if (task.sighted) {
        task.missing ??= { sinceMs: nowMs, looks: 0, blindMs: this.blindMs(nowMs) };
        task.missing.looks += 1;
      }
    }
  }

  /** Live tasks that the engine does not know any more: they ended unseen. */
  noteVanished(keys: readonly TaskKey[], nowMs: number): void {
    for (const key of keys) {
      const reason = 'vanished from the engine';
      this.task(key).judged ??= { verdict: 'failed', reason, endedAtMs: nowMs };
    }
  }

  noteEnding(key: TaskKey, cause: EndCause, reason: string, nowMs: number): void {
    this.task(key).ending = { cause, reason, atMs: nowMs, stopAskedAtMs: null };
  }

  /** Frees rooms that are over and of which no task is left. */
  prune(isFreeable: (room: RoomMemory) => boolean): void {
    for (const room of [...this.rooms.values()].filter(isFreeable)) {
      this.rooms.delete(room.sid);
      for (const key of room.keys) this.tasks.delete(key);
      const lives = this.#sidsByName.get(room.name ?? '');
      lives?.delete(room.sid);
      if (room.name !== null && lives?.size === 0) this.#sidsByName.delete(room.name);
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

function newRoom(sid: RoomSid): RoomMemory {
  return {
    sid,
    name: null,
    createdAtMs: null,
    nudgedAtMs: null,
    lastListedAtMs: null,
    absent: null,
    finishedAtMs: null,
    goneAtMs: null,
    keys: new Set(),
    highestAttempt: 0,
    trouble: null,
    failed: null,
    stopped: false,
    state: 'waiting',
    reason: 'not looked at yet',
  };
}

function newTask(key: TaskKey): TaskMemory {
  return {
    key,
    launched: false,
    running: null,
    sighted: false,
    missing: null,
    leave: null,
    ending: null,
    stopAsked: false,
    judged: null,
  };
}
