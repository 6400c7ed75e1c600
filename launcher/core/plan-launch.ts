/**
 * A live room without a live task: launch, launch again after a backoff, or leave it.
 *
 * The attempt that ended last by the engine's clock decides. Attempts come from the engine's list and
 * from what this process remembers; memory may raise the next attempt, never lower it.
 */
import type { TaskKey } from '../driver.ts';
import {
  LOOK_AGAIN_MS,
  assign,
  launch,
  wait,
  type Context,
  type KeyedTask,
  type LiveRoomView,
  type Plan,
} from './action.ts';
import { backoffMs } from './backoff.ts';
import { attemptOf } from './key.ts';
import type { Memory } from './memory.ts';
import type { LaunchTrouble, RoomMemory } from './remembered.ts';
import type { PresentAgent } from './room.ts';
import { judge, type Judgement } from './verdict.ts';

/** How often a launch is repeated while the engine fetches its image. */
const PULLING_MS = 4_000;

/** `sinceMs`: when this process learned of it, or the engine's word where it was over by then. */
type End = Judgement & {
  readonly key: TaskKey;
  readonly endedAtMs: number;
  readonly sinceMs: number;
};

export function planLaunch(
  view: LiveRoomView,
  room: RoomMemory,
  agent: PresentAgent | null,
  context: Context,
): Plan {
  if (room.stopped) return { ...wait(room, 'stopped by an operator', null), state: 'served' };
  if (room.failed) return { ...wait(room, room.failed.reason, null), state: 'failed' };
  const ends = endsOf(room, view.tasks, context);
  const last = ends.at(-1);
  if (last?.verdict === 'served') return { ...wait(room, last.reason, null), state: 'served' };
  if (last?.verdict === 'fatal') return fail(room, last.reason);
  if (view.profile.launch === false) return skip(room, view.profile.name);
  if (agent && !ends.some((end) => end.key === agent.taskKey)) {
    const who = agent.taskKey === null ? 'an agent of unknown origin' : `task ${agent.taskKey}`;
    const reason = `${who} is in the room, but the engine lists no live task`;
    return wait(room, reason, context.nowMs + LOOK_AGAIN_MS);
  }
  // Of a launch whose answer was lost there may be a task: a standby beside it would be a second.
  if (!last && view.standby && room.trouble?.outcome !== 'unknown') {
    return assign(view.standby, context.nowMs);
  }
  if (room.trouble) return planTrouble(room, room.trouble, view, context);
  if (!last) return launch(room, room.highestAttempt + 1, 'the room is live and has no task');
  return planRetry(room, last, ends, view, context);
}

/** What is known of the ended attempts of this life, the one that ended last at the end. */
function endsOf(room: RoomMemory, tasks: readonly KeyedTask[], { memory, nowMs }: Context): End[] {
  const ends = new Map<TaskKey, End>();
  for (const key of room.keys) {
    const { judged } = memory.task(key);
    if (judged) ends.set(key, { key, ...judged, sinceMs: judged.atMs });
  }
  for (const task of tasks) {
    const { judged, seenAlive } = memory.task(task.key);
    // An engine's clock that is off by minutes must neither hold the room back nor hurry it.
    const learnedAtMs = judged?.atMs ?? nowMs;
    const endedAtMs = task.endedAtMs ?? task.createdAtMs;
    const sinceMs = seenAlive ? learnedAtMs : Math.min(endedAtMs, learnedAtMs);
    ends.set(task.key, { key: task.key, endedAtMs, sinceMs, ...judgeTask(task, memory) });
  }
  return [...ends.values()]
    .filter(({ key }) => (memory.servesSinceMs(key) ?? nowMs) >= (room.againAtMs ?? 0))
    .toSorted((a, b) => a.endedAtMs - b.endedAtMs);
}

/** The verdict on an ended task, by why this process ended it, where it did. */
export function judgeTask(task: KeyedTask, memory: Memory): Judgement {
  const ending = memory.tasks.get(task.key)?.ending;
  return judge(task, ending?.cause ?? null, ending?.reason);
}

function planRetry(
  room: RoomMemory,
  last: End,
  ends: readonly End[],
  view: LiveRoomView,
  context: Context,
): Plan {
  const counted = ends.filter((end) => end.verdict !== 'displaced').length;
  const tries = view.profile.retries + 1;
  if (counted >= tries) return fail(room, `${counted} of ${tries} attempts failed: ${last.reason}`);
  const dueAtMs = last.sinceMs + backoffMs(Math.max(counted, 1), last.key);
  const story = `attempt ${attemptOf(last.key)} ended: ${last.reason}`;
  if (context.nowMs < dueAtMs) {
    return {
      ...wait(room, `${story}; the next one waits for its backoff`, dueAtMs),
      state: 'waiting',
    };
  }
  return launch(room, room.highestAttempt + 1, story);
}

/** The newest launch brought no task: repeat its key, take the next one, or give up. */
function planTrouble(
  room: RoomMemory,
  trouble: LaunchTrouble,
  view: LiveRoomView,
  { nowMs }: Context,
): Plan {
  const { attempt, outcome, retry, detail } = trouble;
  if (retry === 'never') return fail(room, `launch refused: ${detail}`);
  const deadlineMs = trouble.firstAtMs + view.profile.startDeadlineMs;
  if (outcome === 'refused' && !trouble.pulling && trouble.atMs >= deadlineMs) {
    return fail(room, `launches were refused until the start deadline: ${detail}`);
  }
  const story =
    outcome === 'unknown' ? `the launch's answer was lost: ${detail}` : `launch refused: ${detail}`;
  const backoff = trouble.pulling ? PULLING_MS : backoffMs(trouble.count, `${room.sid}-${attempt}`);
  // A backoff must not outlast the deadline: there is a last try right at it.
  const untilMs = trouble.atMs < deadlineMs ? deadlineMs : Infinity;
  const dueAtMs = Math.min(trouble.atMs + backoff, untilMs);
  if (nowMs < dueAtMs)
    return { ...wait(room, `${story}; again after its backoff`, dueAtMs), state: 'waiting' };
  return launch(room, retry === 'next-key' ? attempt + 1 : attempt, story);
}

function skip(room: RoomMemory, profile: string): Plan {
  const reason =
    profile === '' ? 'no profile matches the room' : `profile ${profile} launches nothing`;
  return { ...wait(room, reason, null), state: 'skipped' };
}

function fail(room: RoomMemory, reason: string): Plan {
  return { ...wait(room, reason, null), actions: [{ do: 'fail', reason }], state: 'failed' };
}
