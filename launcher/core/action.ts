/**
 * What a plan is made of: the view that it rests on, its actions as data, and when to look again.
 */
import type { ObservedTask, TaskId, TaskKey } from '../driver.ts';
import type { Profile } from './desired.ts';
import { roomKey } from './key.ts';
import type { Memory } from './memory.ts';
import type { RoomMemory, RunState } from './remembered.ts';
import type { PresentAgent, Room, RoomSid } from './room.ts';
import type { EndCause, Judgement } from './verdict.ts';

/** What a pass does to one room, or to one task. */
export type Action =
  | TaskAction
  | {
      readonly do: 'launch';
      readonly key: TaskKey;
      readonly attempt: number;
      readonly reason: string;
    }
  /** Offers the room to a standby that waits for one. */
  | { readonly do: 'assign'; readonly task: Target; readonly reason: string }
  /** Takes back what a standby was offered and did not take yet. */
  | { readonly do: 'release'; readonly task: Target; readonly reason: string }
  /** The run is failed for good; said once. */
  | { readonly do: 'fail'; readonly reason: string };

/** What is done to a task, whether it has a room or not. */
export type TaskAction =
  /** Begins a task's end: JobTermination or SIGTERM, as the cause's style says. */
  | {
      readonly do: 'end';
      readonly task: Target;
      readonly cause: EndCause;
      readonly graceMs: number;
      readonly reason: string;
    }
  /** Goes on with an end that was begun. */
  | {
      readonly do: 'stop';
      readonly task: Target;
      readonly graceMs: number;
      readonly reason: string;
    }
  | { readonly do: 'remove'; readonly task: Target; readonly reason: string }
  /** Records what an end meant; said once. */
  | {
      readonly do: 'judge';
      readonly task: ObservedTask;
      readonly key: TaskKey;
      readonly judgement: Judgement;
    };

export interface Target extends Pick<ObservedTask, 'runner'> {
  readonly key: TaskKey;
  readonly taskId: TaskId;
}

export interface Plan<A = Action> {
  readonly actions: readonly A[];
  /** An end is due, but rests on an older list of tasks: plan again with a new one. */
  readonly needsFreshTasks?: true;
  /** Look at the room again then, even if nothing nudges. */
  readonly lookAgainAtMs: number | null;
  readonly state: RunState;
  /** Why things are as they are, in words. */
  readonly reason: string;
}

/** A room's tasks as one pass saw them. */
export interface TasksView {
  readonly sid: RoomSid;
  readonly profile: Profile;
  /** Tasks of this sid, with launches that the engine's list does not show yet. */
  readonly tasks: readonly KeyedTask[];
  /** Does `tasks` rest on a list begun within this pass? Ends need one, launches do not. */
  readonly tasksFresh: boolean;
}

/** What one pass saw of a live room. */
export interface LiveRoomView extends TasksView {
  readonly room: Room;
  /** A standby of its profile that waits for a room. */
  readonly standby: KeyedTask | null;
  /** The agent in the room; `unread` when LiveKit did not say. */
  readonly agent: PresentAgent | null | 'unread';
}

/** What one pass saw of a room that the newest list does not show. */
export interface AbsentRoomView extends TasksView {
  /** The witness against: LiveKit lists no room of this name, and yet this room's agent in it. */
  readonly agentStillThere: boolean;
}

export type KeyedTask = ObservedTask & { readonly key: TaskKey };

/** What decisions read beside the view. */
export interface Context {
  readonly memory: Memory;
  readonly nowMs: number;
}

/** How soon to look again where nothing else says when. */
export const LOOK_AGAIN_MS = 5_000;

/** A plan without actions: the run's state stays, the reason is new. */
export function wait(room: RoomMemory, reason: string, lookAgainAtMs: number | null): Plan {
  return { actions: [], lookAgainAtMs, state: room.state, reason };
}

/** The plan that launches a room's attempt. */
export function launch(room: RoomMemory, attempt: number, reason: string): Plan {
  const key = roomKey(room.sid, attempt);
  return {
    actions: [{ do: 'launch', key, attempt, reason }],
    lookAgainAtMs: null,
    state: 'launching',
    reason,
  };
}

/** The plan that offers a room to a standby. */
export function assign(standby: KeyedTask, nowMs: number): Plan {
  const reason = `the room is live and has no task; standby ${standby.key} waits for one`;
  return {
    actions: [{ do: 'assign', task: standby, reason }],
    lookAgainAtMs: nowMs + LOOK_AGAIN_MS,
    state: 'launching',
    reason,
  };
}

/** The earlier of two times; null is never. */
export function soonest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
