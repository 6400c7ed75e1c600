/**
 * All decisions of one pass over one room, as data, each with its reason.
 *
 * Pure: what is seen, what is remembered and the time are arguments, and no decision depends on
 * which event woke the launcher. Doubt never kills and never doubles: a view with holes in it plans
 * nothing, and looks again.
 *
 * For a live room, in this order: several live tasks are cut down to one; a live task is watched
 * (`plan-task.ts`); without one, the next attempt is launched or not (`plan-launch.ts`). What is
 * left of a room that is over is `plan-gone.ts`.
 */
import {
  LOOK_AGAIN_MS,
  soonest,
  wait,
  type Context,
  type KeyedTask,
  type LiveRoomView,
  type Plan,
  type TaskAction,
} from './action.ts';
import { attemptOf } from './key.ts';
import type { Memory } from './memory.ts';
import type { RoomMemory } from './remembered.ts';
import { judgeTask, planLaunch } from './plan-launch.ts';
import { end, planTask } from './plan-task.ts';
import type { PresentAgent } from './room.ts';

/** Plans one live room. */
export function planRoom(view: LiveRoomView, context: Context): Plan {
  const room = context.memory.room(view.room.sid);
  const judged = planJudgements(view.tasks, context);
  const rest = planLiveRoom(view, room, context);
  return { ...rest, actions: [...judged, ...rest.actions] };
}

function planLiveRoom(view: LiveRoomView, room: RoomMemory, context: Context): Plan {
  const live = view.tasks.filter((task) => task.phase !== 'ended');
  if (view.agent === 'unread') {
    return wait(
      room,
      "LiveKit did not list the room's participants",
      context.nowMs + LOOK_AGAIN_MS,
    );
  }
  if (live.length === 0) return planLaunch(view, room, view.agent, context);
  const kept = keep(live, view.agent, context.memory);
  const surplus = live.filter((task) => task !== kept);
  const plan = planTask(kept, view, context);
  if (surplus.length === 0) return plan;
  const ends = surplus.map((task) => planSurplus(task, kept, view, context));
  return {
    ...plan,
    actions: [plan, ...ends].flatMap(({ actions }) => actions),
    lookAgainAtMs: [plan, ...ends].map((each) => each.lookAgainAtMs).reduce(soonest, null),
    ...(view.tasksFresh ? {} : { needsFreshTasks: true }),
  };
}

/** Of several live tasks: the one that is present, else the lowest attempt; never one that ends. */
function keep(live: readonly KeyedTask[], agent: PresentAgent | null, memory: Memory): KeyedTask {
  const staying = live.filter((task) => !memory.task(task.key).ending);
  const byAttempt = (staying.length > 0 ? staying : live).toSorted(
    (a, b) => attemptOf(a.key) - attemptOf(b.key),
  );
  return byAttempt.find((task) => task.key === agent?.taskKey) ?? byAttempt[0]!;
}

function planSurplus(task: KeyedTask, kept: KeyedTask, view: LiveRoomView, context: Context): Plan {
  if (context.memory.task(task.key).ending) return planTask(task, view, context);
  return end(task, 'surplus', `the room has another task, ${kept.key}`, view, context.nowMs);
}

/** Ends that were not judged yet. */
export function planJudgements(tasks: readonly KeyedTask[], { memory }: Context): TaskAction[] {
  return tasks
    .filter((task) => task.phase === 'ended' && !memory.tasks.get(task.key)?.judged)
    .map((task) => ({ do: 'judge', task, key: task.key, judgement: judgeTask(task, memory) }));
}
