/** What is remembered of one room and of one task: the fields that decisions read. */
import type { Retry, TaskKey } from '../driver.ts';
import { BlindTime } from './blind.ts';
import type { RoomSid } from './room.ts';
import type { EndCause, Judgement } from './verdict.ts';

export interface RoomMemory {
  readonly sid: RoomSid;
  /** Null for a room known from its tasks only (after a restart). */
  name: string | null;
  /** As the newest list showed it; may hold anything, and chooses the profile. */
  metadata: string;
  /** By LiveKit's clock; null until a list shows it. */
  createdAtMs: number | null;
  /** First nudge about a sid that no list has shown yet, or none since it was over. */
  nudgedAtMs: number | null;
  /** Begin of the newest list that showed it. */
  lastListedAtMs: number | null;
  /** Begin of the first and of the newest complete list without it, since it was last listed. */
  absent: { firstMs: number; lastMs: number } | null;
  /** A list showed a younger room in its place: names are unique, so it is over. */
  succeeded: boolean;
  /** When its room_finished arrived. */
  finishedAtMs: number | null;
  /** When this process was sure that it is over. */
  goneAtMs: number | null;
  /** When its sid was listed again after it was over; older tasks are of another life. */
  againAtMs: number | null;
  /** Begin of the newest look at its participants that LiveKit answered. */
  lookedAtMs: number | null;
  /** Time in which LiveKit did not list its participants. */
  readonly unread: BlindTime;
  /** Who was in it when LiveKit last said, agents left out; nothing is decided by it. */
  participants: number | null;
  /** Agents that were in it beside its own at the newest look; nothing is decided by it. */
  otherAgents: number;
  /** Its attempts that this process knows. */
  readonly keys: Set<TaskKey>;
  /**
   * Standbys that it was offered to in vain. None is asked twice: one that always says no, or hangs up,
   * would take the room out of the line for a launch time and again.
   */
  readonly declinedBy: Set<TaskKey>;
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
  /** No profile launches anything for it. */
  | 'skipped'
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
  /** The engine fetches the image meanwhile: counts as no failure and towards no deadline. */
  readonly pulling: boolean;
  readonly detail: string;
  readonly count: number;
  readonly firstAtMs: number;
  readonly atMs: number;
}

export interface TaskMemory {
  readonly key: TaskKey;
  /** When this process first saw it, accepted or listed. */
  firstSeenAtMs: number | null;
  /** Did this process launch it, or repeat its launch? */
  launched: boolean;
  /** Did its worker take its job, as far as this process knows? It has one for life. */
  assigned: boolean;
  /** Is its worker registered here, without a job? Then it is in no room. */
  waitsHere: boolean;
  /** Did this process ever see it alive? */
  seenAlive: boolean;
  /** First sight as running, and how long LiveKit had been unreadable in all by then. */
  running: { readonly atMs: number; readonly blindMs: number } | null;
  /** Was its agent ever seen in the room? */
  sighted: boolean;
  /** Was it told that its agent is in the room? */
  activeSaid: boolean;
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
  /** What is left of it was removed; some engines list it for a while all the same. */
  removed: boolean;
  /** Its end, once seen: `endedAtMs` by the engine's clock, `atMs` by ours. */
  judged: (Judgement & { readonly endedAtMs: number; readonly atMs: number }) | null;
}

/** A room of which nothing was seen. */
export function newRoom(sid: RoomSid): RoomMemory {
  return {
    sid,
    name: null,
    metadata: '',
    createdAtMs: null,
    nudgedAtMs: null,
    lastListedAtMs: null,
    absent: null,
    succeeded: false,
    finishedAtMs: null,
    goneAtMs: null,
    againAtMs: null,
    lookedAtMs: null,
    unread: new BlindTime(),
    participants: null,
    otherAgents: 0,
    keys: new Set(),
    declinedBy: new Set(),
    highestAttempt: 0,
    trouble: null,
    failed: null,
    stopped: false,
    state: 'waiting',
    reason: 'not looked at yet',
  };
}

/** A task of which nothing was seen. */
export function newTask(key: TaskKey): TaskMemory {
  return {
    key,
    firstSeenAtMs: null,
    launched: false,
    assigned: false,
    waitsHere: false,
    seenAlive: false,
    running: null,
    sighted: false,
    activeSaid: false,
    missing: null,
    leave: null,
    ending: null,
    stopAsked: false,
    removed: false,
    judged: null,
  };
}

/**
 * The sid of a room that was over is listed again: LiveKit brings a stored room back under its old
 * sid. Whatever decided the life before decides nothing any more.
 */
export function beginNewLife(room: RoomMemory, nowMs: number): void {
  Object.assign(room, { goneAtMs: null, againAtMs: nowMs, failed: null, stopped: false });
  Object.assign(room, { trouble: null, state: 'waiting' } satisfies Partial<RoomMemory>);
  Object.assign(room, { participants: null, otherAgents: 0 } satisfies Partial<RoomMemory>);
  if ((room.finishedAtMs ?? nowMs) <= nowMs) room.finishedAtMs = null;
}
