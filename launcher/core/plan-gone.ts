/**
 * What is left of a room that no list shows: when it is surely over, its tasks are ended; their
 * evidence (exit codes, logs) is kept for a while, then removed.
 */
import {
  soonest,
  wait,
  type AbsentRoomView,
  type Context,
  type KeyedTask,
  type Plan,
  type TaskAction,
} from './action.ts';
import { isStandbyKey } from './key.ts';
import type { RoomMemory } from './remembered.ts';
import { end, planEnding } from './plan-task.ts';
import { planJudgements } from './plan.ts';

/** Absent from two complete lists this far apart: over. */
const ABSENT_MS = 10_000;
/** ListRooms can lag behind room_started: when to look again for a sid that was only heard of. */
const UNLISTED_LOOKS_MS = [200, 1_000, 3_000, 10_000];
/** How long ended tasks are kept after their room. */
const EVIDENCE_MS = 600_000;
/** Ended tasks of gone rooms that are kept at most. */
const EVIDENCE_MAX = 500;

/** How long a room that is over, or was only heard of, is remembered. */
const FORGET_MS = 600_000;

type RemoveAction = Extract<TaskAction, { do: 'remove' }>;

/** Is it sure that this room is over? Pure reading of what was noted; absence alone is doubt. */
export function isGone(room: RoomMemory): boolean {
  if (room.goneAtMs !== null) return true;
  if (room.absent === null) return false;
  if (room.succeeded) return true;
  const { firstMs, lastMs } = room.absent;
  const finished = room.finishedAtMs !== null && room.finishedAtMs > (room.lastListedAtMs ?? -1);
  if (finished && room.finishedAtMs! <= lastMs) return true;
  const rumour = room.nudgedAtMs !== null && lastMs < room.nudgedAtMs + UNLISTED_LOOKS_MS.at(-1)!;
  return !rumour && lastMs - firstMs >= ABSENT_MS;
}

/** Plans a room that the newest list does not show. */
export function planAbsentRoom(room: RoomMemory, view: AbsentRoomView, context: Context): Plan {
  const judged = planJudgements(view.tasks, context);
  const rest = planAbsence(room, view, context);
  return { ...rest, actions: [...judged, ...rest.actions] };
}

function planAbsence(room: RoomMemory, view: AbsentRoomView, context: Context): Plan {
  const { nowMs } = context;
  if (!isGone(room)) return wait(room, 'not in the newest list of rooms', nextLook(room, nowMs));
  if (view.agentStillThere) {
    const reason = 'not listed, and yet its agent is in the room: left alone';
    return wait(room, reason, nowMs + ABSENT_MS);
  }
  const plans = view.tasks.map((task) => planLeftover(task, room, view, context));
  const fresh = plans.some((plan) => plan.needsFreshTasks);
  return {
    actions: plans.flatMap((plan) => plan.actions),
    lookAgainAtMs: plans.map((plan) => plan.lookAgainAtMs).reduce(soonest, nextRumour(room, nowMs)),
    ...(fresh ? { needsFreshTasks: true } : {}),
    state: view.tasks.some((task) => task.phase !== 'ended') ? 'ending' : 'served',
    reason: 'the room is over',
  };
}

function planLeftover(
  task: KeyedTask,
  room: RoomMemory,
  view: AbsentRoomView,
  context: Context,
): Plan {
  if (task.phase === 'ended') return planEvidence(task, room, context);
  const { ending, assigned } = context.memory.task(task.key);
  if (isStandbyKey(task.key) && !assigned && !ending) return takeBack(task, room, context.nowMs);
  if (!ending) return end(task, 'gone', 'the room is over', view, context.nowMs);
  return planEnding(task, ending, view.profile.shutdownTimeoutMs, context.nowMs);
}

/** It did not take the job yet, and can wait for another room. */
function takeBack(task: KeyedTask, room: RoomMemory, nowMs: number): Plan {
  const reason = 'the room is over before the standby took it';
  return { ...wait(room, reason, nowMs), actions: [{ do: 'release', task, reason }] };
}

/** Ten minutes from the room's end, or from the task's where this process did not see the room. */
function planEvidence(task: KeyedTask, room: RoomMemory, { memory, nowMs }: Context): Plan {
  const { firstSeenAtMs } = memory.task(task.key);
  const endedAtMs = Math.min(task.endedAtMs ?? task.createdAtMs, firstSeenAtMs ?? nowMs);
  const sinceMs = room.lastListedAtMs === null ? endedAtMs : (room.goneAtMs ?? nowMs);
  const dueAtMs = sinceMs + EVIDENCE_MS;
  const kept = wait(room, 'its evidence is kept', dueAtMs);
  if (nowMs < dueAtMs) return kept;
  const reason = 'its room has been over for ten minutes';
  return { ...kept, actions: [{ do: 'remove', task, reason }], lookAgainAtMs: null };
}

/** When to look for a room that is missing from the list, or not in it yet. */
function nextLook(room: RoomMemory, nowMs: number): number | null {
  return nextRumour(room, nowMs) ?? Math.max((room.absent?.firstMs ?? nowMs) + ABSENT_MS, nowMs);
}

/** When to look for a sid that was heard of and is not listed; also one that was over (it can come
 * back). */
function nextRumour({ nudgedAtMs }: RoomMemory, nowMs: number): number | null {
  if (nudgedAtMs === null) return null;
  const next = UNLISTED_LOOKS_MS.find((afterMs) => nudgedAtMs + afterMs > nowMs);
  return next === undefined ? null : nudgedAtMs + next;
}

/** May a room without tasks be forgotten? One that is over, or one that was only heard of. */
export function isForgettable(room: RoomMemory, nowMs: number): boolean {
  const heardAtMs = room.lastListedAtMs === null ? (room.nudgedAtMs ?? room.finishedAtMs) : null;
  const sinceMs = room.goneAtMs ?? heardAtMs;
  return sinceMs !== null && nowMs - sinceMs > FORGET_MS;
}

/** Of the ended tasks of gone rooms, those beyond the number that is kept: the oldest ones. */
export function excessEvidence(ended: readonly KeyedTask[]): RemoveAction[] {
  return ended
    .toSorted((a, b) => (b.endedAtMs ?? b.createdAtMs) - (a.endedAtMs ?? a.createdAtMs))
    .slice(EVIDENCE_MAX)
    .map((task) => ({
      do: 'remove',
      task,
      reason: `more than ${EVIDENCE_MAX} ended tasks are kept`,
    }));
}
