/**
 * A live task of a live room: is it on its way, is its agent in the room, is it time to end it?
 */
import {
  LOOK_AGAIN_MS,
  type Context,
  type KeyedTask,
  type LiveRoomView,
  type Plan,
  type TaskAction,
  type TasksView,
} from './action.ts';
import type { TaskLimits } from './desired.ts';
import { attemptOf, isStandbyKey } from './key.ts';
import type { Memory } from './memory.ts';
import type { RunState, TaskMemory } from './remembered.ts';
import { endStyle, isCleanLeave, type EndCause } from './verdict.ts';

/** Out of the room for this long, over two looks or more, without a word of leaving: it is lost. */
const MISSING_MS = 30_000;
const MISSING_LOOKS = 2;
/** How long after a stop's own grace a task that still lives is stopped again, hard. */
const STOP_AGAIN_MS = 10_000;
/**
 * LiveKit's JavaScript worker hangs for a minute when SIGTERM meets a job process that still starts,
 * which one does in the first seconds. Its job is over by then: the stop can wait until that is past.
 */
const FOREIGN_SETTLED_MS = 10_000;

export function planTask(task: KeyedTask, view: LiveRoomView, context: Context): Plan {
  const known = context.memory.task(task.key);
  if (known.ending) {
    return planEnding(task, known.ending, view.profile.shutdownTimeoutMs, context.nowMs);
  }
  // A launch that was under way when an operator ended the run is known as a task only later.
  if (known.stopAsked || context.memory.room(view.sid).stopped) {
    return end(task, 'operator', 'stopped by an operator', view, context.nowMs);
  }
  if (task.phase === 'starting') return planStarting(task, known, view, context);
  if (task.phase === 'stopping') {
    return stay('ending', 'the engine is stopping the task', context.nowMs + LOOK_AGAIN_MS);
  }
  return planRunning(task, known, view, context);
}

function planStarting(
  task: KeyedTask,
  known: TaskMemory,
  view: LiveRoomView,
  { nowMs }: Context,
): Plan {
  // From this process's first sight: an engine's clock may be off by more than the deadline.
  const deadlineMs = (known.firstSeenAtMs ?? nowMs) + view.profile.startDeadlineMs;
  if (nowMs >= deadlineMs) {
    return end(task, 'never-started', 'not running by the start deadline', view, nowMs);
  }
  if (known.launched || isStandbyKey(task.key) || view.profile.launch === false)
    return stay('starting', 'the engine is starting the task', deadlineMs);
  const reason = 'launched by an earlier launcher and not running: its launch is repeated';
  return {
    actions: [{ do: 'launch', key: task.key, attempt: attemptOf(task.key), reason }],
    lookAgainAtMs: deadlineMs,
    state: 'starting',
    reason,
  };
}

function planRunning(
  task: KeyedTask,
  known: TaskMemory,
  view: LiveRoomView,
  context: Context,
): Plan {
  const { memory, nowMs } = context;
  const lifetimeEndsAtMs = servesSinceMs(task, memory) + view.profile.maxLifetimeMs;
  if (nowMs >= lifetimeEndsAtMs) {
    return end(task, 'max-lifetime', 'past its maximum lifetime', view, nowMs);
  }
  if (task.runner !== true && known.leave && isCleanLeave(known.leave.reason)) {
    const reason = `its agent left the room (reason ${known.leave.reason})`;
    return end(task, 'left', reason, view, nowMs);
  }
  const due = known.sighted
    ? dueAfterSighting(task, known, view, memory, nowMs)
    : dueToJoin(task, view, memory, nowMs);
  if (due === null) return stay('serving', 'its agent is in the room', lifetimeEndsAtMs);
  if (nowMs >= due.atMs) return end(task, due.cause, due.reason, view, nowMs);
  return stay(
    due.state,
    due.meanwhile,
    Math.min(due.atMs, lifetimeEndsAtMs, nowMs + LOOK_AGAIN_MS),
  );
}

/** When its room's time began: a standby has run before, for any. */
function servesSinceMs({ key, startedAtMs, createdAtMs }: KeyedTask, memory: Memory): number {
  return memory.standbys.get(key)?.room?.atMs ?? startedAtMs ?? createdAtMs;
}

interface Due {
  readonly atMs: number;
  readonly cause: EndCause;
  readonly reason: string;
  readonly state: RunState;
  readonly meanwhile: string;
}

/** Never seen in the room: until when it may take. Time without LiveKit does not count. */
function dueToJoin({ key }: KeyedTask, view: LiveRoomView, memory: Memory, nowMs: number): Due {
  const blindNowMs = memory.blindMs(view.sid, nowMs);
  const offered = memory.standbys.get(key)?.room;
  const since = offered ?? memory.task(key).running ?? { atMs: nowMs, blindMs: blindNowMs };
  const watchedSinceMs = Math.max(since.atMs, memory.firstPassAtMs ?? nowMs);
  const blindMs = blindNowMs - since.blindMs;
  return {
    atMs: watchedSinceMs + view.profile.joinDeadlineMs + blindMs,
    cause: 'never-joined',
    reason: 'running, but its agent was not in the room by the join deadline',
    state: 'running',
    meanwhile: 'running; its agent is not in the room yet',
  };
}

/** Seen in the room before; null while it is there. */
function dueAfterSighting(
  task: KeyedTask,
  known: TaskMemory,
  view: LiveRoomView,
  memory: Memory,
  nowMs: number,
): Due | null {
  // A foreign agent that left for another reason may be reconnecting: it is missing until it does.
  if (known.leave && task.runner === true) {
    // One whose line broke may be back as soon as one that is missing without a word.
    return {
      atMs: known.leave.atMs + Math.max(view.profile.shutdownTimeoutMs, MISSING_MS),
      cause: 'lingering',
      reason: `its agent left the room (reason ${known.leave.reason}) and did not exit in time`,
      state: 'ending',
      meanwhile: `its agent left the room (reason ${known.leave.reason}); it is shutting down`,
    };
  }
  if (!known.missing) return null;
  const blindMs = memory.blindMs(view.sid, nowMs) - known.missing.blindMs;
  const overdueAtMs = known.missing.sinceMs + MISSING_MS + blindMs;
  return {
    atMs:
      known.missing.looks >= MISSING_LOOKS
        ? overdueAtMs
        : Math.max(overdueAtMs, nowMs + LOOK_AGAIN_MS),
    cause: 'missing',
    reason: 'its agent has been missing from the room',
    state: 'running',
    meanwhile: 'running; its agent is missing from the room',
  };
}

/** What an end rests on. */
type EndView = Pick<TasksView, 'tasksFresh'> & {
  readonly profile: Pick<TaskLimits, 'shutdownTimeoutMs'>;
};

/** Begins an end, if the engine's list is of this pass: on doubt, look again first. */
export function end(
  task: KeyedTask,
  cause: EndCause,
  reason: string,
  view: EndView,
  nowMs: number,
): Plan<TaskAction> {
  if (!view.tasksFresh) return { ...stay('ending', reason, nowMs), needsFreshTasks: true };
  const graceMs = view.profile.shutdownTimeoutMs;
  return {
    actions: [{ do: 'end', task, cause, graceMs, reason }],
    lookAgainAtMs: firstStopAtMs(task, cause, nowMs) ?? nowMs + graceMs + STOP_AGAIN_MS,
    state: 'ending',
    reason,
  };
}

/** When the stop follows the JobTermination of an end that began at `begunAtMs`; null: there is none. */
function firstStopAtMs(task: KeyedTask, cause: EndCause, begunAtMs: number): number | null {
  const afterMs = endStyle(cause, task).stopAfterTerminationMs;
  if (afterMs === null) return null;
  if (task.runner === true) return begunAtMs + afterMs;
  // A clock of the engine that runs ahead must not hold the end back.
  const startedAtMs = Math.min(task.startedAtMs ?? task.createdAtMs, begunAtMs);
  return Math.max(begunAtMs + afterMs, startedAtMs + FOREIGN_SETTLED_MS);
}

/** Goes on with an end that was begun: the stop when it is due, SIGKILL when that did not help. */
export function planEnding(
  task: KeyedTask,
  ending: NonNullable<TaskMemory['ending']>,
  graceMs: number,
  nowMs: number,
): Plan<TaskAction> {
  const { stopAskedAtMs, reason } = ending;
  const dueAtMs =
    stopAskedAtMs === null
      ? (firstStopAtMs(task, ending.cause, ending.atMs) ?? ending.atMs)
      : stopAskedAtMs + graceMs + STOP_AGAIN_MS;
  if (nowMs < dueAtMs) return stay('ending', reason, dueAtMs);
  const kill = stopAskedAtMs !== null || endStyle(ending.cause, task).kill;
  const stop: TaskAction = { do: 'stop', task, graceMs: kill ? 0 : graceMs, reason };
  return { ...stay('ending', reason, nowMs + graceMs + STOP_AGAIN_MS), actions: [stop] };
}

function stay(state: RunState, reason: string, lookAgainAtMs: number): Plan<TaskAction> {
  return { actions: [], lookAgainAtMs, state, reason };
}
