/**
 * The warm pool: how many standbys of each profile there are to be, and which of them have to go.
 *
 * Pure, like all plans. A standby that this process made waits until a room takes it, and is replaced
 * when it does not come up, when its time is over, or when it can be offered nothing any more. One of
 * another launcher's is never offered anything here and never counts: it is left to show its room, and
 * ended if it shows none in time. Standbys that a room has are that room's tasks, in its own plans.
 */
import type { TaskKey } from '../driver.ts';
import { LOOK_AGAIN_MS, soonest, type Context, type KeyedTask, type TaskAction } from './action.ts';
import type { Profile, TaskLimits } from './desired.ts';
import { end, planEnding } from './plan-task.ts';
import { judgeTask } from './plan-launch.ts';
import { dueAfterTrouble, stock } from './plan-stock.ts';
import type { StandbyMemory } from './standbys.ts';
import type { EndCause } from './verdict.ts';

/**
 * LiveKit's workers are ready this long after they have registered: the JavaScript one registers
 * before its job process has run the agent's prewarm, and says nothing when it has.
 */
const FOREIGN_PREWARM_MS = 5_000;
/** How long what is left of a standby that failed is kept. */
const EVIDENCE_MS = 600_000;

/** A standby that no room has. */
export interface IdleStandby {
  readonly known: StandbyMemory;
  /** Null: its launch is under way, or its answer was lost. */
  readonly task: KeyedTask | null;
}

export interface PoolView {
  readonly profiles: readonly Profile[];
  /** What holds for standbys of a profile that does not exist any more. */
  readonly unmatched: TaskLimits;
  readonly standbys: readonly IdleStandby[];
  /** Does `standbys` rest on a list of tasks begun within this pass? Ends need one. */
  readonly tasksFresh: boolean;
}

export type PoolAction =
  TaskAction | { readonly do: 'launch-standby'; readonly key: TaskKey; readonly reason: string };

/** For one standby, for one profile, or for all of them. */
export interface PoolPlan {
  readonly actions: readonly PoolAction[];
  readonly needsFreshTasks?: true;
  readonly lookAgainAtMs: number | null;
}

/** `stays`: it waits for a room, or will. */
type Step = PoolPlan & { readonly stays: boolean };

/** `random` gives numbers in [0, 1), of which new keys are made. */
export function planPool(view: PoolView, context: Context, random: () => number): PoolPlan {
  const steps = view.standbys.map(({ known, task }) => {
    return { known, step: planOne({ known, task }, view, context) };
  });
  const staying = steps.filter(({ known, step }) => known.made && step.stays);
  const stocks = view.profiles.map((profile) => {
    const own = staying.filter(({ known }) => known.profile === profile.name);
    return stock(
      profile,
      own.map(({ known }) => known),
      context,
      random,
    );
  });
  const all: readonly PoolPlan[] = [...steps.map(({ step }) => step), ...stocks];
  return {
    actions: all.flatMap(({ actions }) => actions),
    ...(all.some((plan) => plan.needsFreshTasks) && { needsFreshTasks: true }),
    lookAgainAtMs: all.map((plan) => plan.lookAgainAtMs).reduce(soonest, null),
  };
}

/** Can it be offered a room? It is registered, and has run the agent's prewarm. */
export function isReady({ known, task }: IdleStandby, { memory, nowMs }: Context): boolean {
  if (!known.made || known.room || known.spent !== null || task === null) return false;
  if (task.phase === 'ended' || task.phase === 'stopping') return false;
  const { assigned, ending, stopAsked } = memory.task(known.key);
  if (assigned || ending || stopAsked) return false;
  return (readyAtMs(known, task) ?? Infinity) <= nowMs;
}

/** When it can be offered a room, if nothing comes between; null: it is not registered. */
function readyAtMs({ lineSinceMs, restsUntilMs }: StandbyMemory, { runner }: KeyedTask) {
  if (lineSinceMs === null) return null;
  const warmAtMs = lineSinceMs + (runner === true ? 0 : FOREIGN_PREWARM_MS);
  return Math.max(warmAtMs, restsUntilMs);
}

function planOne({ known, task }: IdleStandby, view: PoolView, context: Context): Step {
  const { memory, nowMs } = context;
  if (task === null) return planUnlisted(known, context);
  if (task.phase === 'ended') return goes(planEnded(task, context));
  const profile = view.profiles.find(({ name }) => name === known.profile) ?? view.unmatched;
  const { ending = null, stopAsked = false } = memory.tasks.get(known.key) ?? {};
  if (ending) {
    const plan = planEnding(task, ending, profile.shutdownTimeoutMs, nowMs);
    const isOld = plan.actions.length > 0 && !view.tasksFresh;
    return goes(isOld ? { actions: [], needsFreshTasks: true, lookAgainAtMs: nowMs } : plan);
  }
  if (task.phase === 'stopping') return goes({ actions: [], lookAgainAtMs: nowMs + LOOK_AGAIN_MS });
  const dueOf = known.made ? dueOfOurs : dueOfOthers;
  const due = stopAsked ? STOPPED : dueOf(known, task, profile, context);
  if (due.atMs <= nowMs) {
    const { tasksFresh } = view;
    return goes(end(task, due.cause, due.reason, { tasksFresh, profile }, nowMs));
  }
  const readyMs = known.made ? readyAtMs(known, task) : null;
  const readySoon = readyMs !== null && readyMs > nowMs ? readyMs : null;
  return stays({ actions: [], lookAgainAtMs: soonest(due.atMs, readySoon) });
}

/** Until it is listed, or is surely not there, it holds its place. */
function planUnlisted({ key, profile, unanswered }: StandbyMemory, context: Context): Step {
  if (!unanswered) return stays({ actions: [], lookAgainAtMs: null });
  const dueAtMs = dueAfterTrouble(profile, context);
  if (context.nowMs < dueAtMs) return stays({ actions: [], lookAgainAtMs: dueAtMs });
  const reason = "its launch's answer was lost: the same key again";
  return stays({ actions: [{ do: 'launch-standby', key, reason }], lookAgainAtMs: null });
}

interface Due {
  readonly atMs: number;
  readonly cause: EndCause;
  readonly reason: string;
}

const STOPPED: Due = { atMs: -Infinity, cause: 'retired', reason: 'stopped by an operator' };

/** When it has to go, if nothing comes between. */
function dueOfOurs(
  known: StandbyMemory,
  task: KeyedTask,
  limits: TaskLimits,
  { memory, nowMs }: Context,
): Due {
  if (known.spent !== null) return { atMs: nowMs, cause: 'retired', reason: known.spent };
  const seen = memory.tasks.get(known.key);
  const bornAtMs = seen?.firstSeenAtMs ?? nowMs;
  if (known.lineSinceMs !== null) {
    const reason = 'past its maximum lifetime, without a room';
    return { atMs: bornAtMs + limits.maxLifetimeMs, cause: 'retired', reason };
  }
  if (task.phase === 'starting') {
    const reason = 'not running by the start deadline';
    return { atMs: bornAtMs + limits.startDeadlineMs, cause: 'unregistered', reason };
  }
  const aloneSinceMs = Math.max(seen?.running?.atMs ?? nowMs, known.lineLostAtMs ?? -Infinity);
  const reason = 'running, but its worker was not registered by the join deadline';
  return { atMs: aloneSinceMs + limits.joinDeadlineMs, cause: 'unregistered', reason };
}

/**
 * Its own launcher may have given it a room, which shows late. So all rooms have to be looked at after
 * its time is over: an agent that is in one of them is not ended here.
 */
function dueOfOthers(
  known: StandbyMemory,
  { key, startedAtMs, createdAtMs }: KeyedTask,
  limits: TaskLimits,
  { memory, nowMs }: Context,
): Due {
  const seenAtMs = known.registeredAtMs ?? memory.tasks.get(key)?.firstSeenAtMs ?? nowMs;
  if (known.contested) {
    const reason = 'past its maximum lifetime';
    const atMs = (startedAtMs ?? createdAtMs) + limits.maxLifetimeMs;
    return { atMs, cause: 'max-lifetime', reason };
  }
  const sinceMs = Math.max(seenAtMs, memory.firstPassAtMs ?? nowMs, known.shownAtMs ?? -Infinity);
  const isHere = known.registeredAtMs !== null;
  const dueAtMs = sinceMs + (isHere ? limits.joinDeadlineMs : limits.startDeadlineMs);
  const reason = "another launcher's standby, and no room shows it";
  const isSure = nowMs < dueAtMs || memory.wereRoomsRead(dueAtMs);
  return { atMs: isSure ? dueAtMs : nowMs + LOOK_AGAIN_MS, cause: 'retired', reason };
}

/** What it leaves tells why it failed; of one that was sent away there is nothing to tell. */
function planEnded(task: KeyedTask, { memory, nowMs }: Context): PoolPlan {
  const { judged = null, ending = null, removed } = memory.tasks.get(task.key) ?? {};
  if (removed) return { actions: [], lookAgainAtMs: null };
  const judgement = judgeTask(task, memory);
  const judge: PoolAction[] = judged ? [] : [{ do: 'judge', task, key: task.key, judgement }];
  const keptMs = ending?.cause === 'retired' ? 0 : EVIDENCE_MS;
  const dueAtMs = (judged?.atMs ?? nowMs) + keptMs;
  if (nowMs < dueAtMs) return { actions: judge, lookAgainAtMs: dueAtMs };
  const remove: PoolAction = { do: 'remove', task, reason: 'a standby that has ended' };
  return { actions: [...judge, remove], lookAgainAtMs: null };
}

function stays(plan: PoolPlan): Step {
  return { ...plan, stays: true };
}

function goes(plan: PoolPlan): Step {
  return { ...plan, stays: false };
}
