/**
 * What a task's end means for its run.
 *
 * Our runner's exit codes are readable by any launcher, also one that started later. Those of other
 * workers, foreign ones, say nothing: only the launcher that saw why they ended can tell, unless the
 * engine keeps the reason of a stop. What this process decided itself (an operator's stop, a task
 * that never joined) is remembered and wins.
 */
import type { Exit, ObservedTask } from '../driver.ts';

export type Verdict =
  /** The run is done: no further attempt. */
  | 'served'
  /** Counts against the retries; the next attempt follows. */
  | 'failed'
  /** A bad start configuration: the run fails at once. */
  | 'fatal'
  /** A newer participant took our identity: never counted. */
  | 'displaced'
  /** The end cannot be read: launch again, and count it. */
  | 'unreadable';

export interface Judgement {
  readonly verdict: Verdict;
  /** In words, for logs and the API. */
  readonly reason: string;
}

/** Why the launcher ends a task. */
export type EndCause =
  | 'operator'
  | 'max-lifetime'
  | 'gone'
  | 'never-started'
  | 'never-joined'
  | 'missing'
  | 'lingering'
  | 'surplus'
  /** A standby that did not come up. */
  | 'unregistered'
  /** A standby that is not wanted any more, or can be offered nothing. */
  | 'retired'
  /** The agent of a foreign task left for good: its worker would wait for another job. */
  | 'left';

/** How a task is ended for a cause, and what its end then means. */
export interface EndStyle {
  /** JobTermination first, the stop this much later; null: the stop at once, no JobTermination, so
   * that our runner's exit code says that the end was not the job's. */
  readonly stopAfterTerminationMs: number | null;
  /** Is the stop a SIGKILL? Else SIGTERM, and SIGKILL after the grace. */
  readonly kill?: true;
  /** Null: the exit alone decides. */
  readonly verdict: Verdict | null;
}

type EndStyles = Readonly<Record<EndCause, EndStyle>>;

const RUNNER_STYLES: EndStyles = {
  operator: { stopAfterTerminationMs: 1_000, verdict: 'served' },
  'max-lifetime': { stopAfterTerminationMs: 1_000, verdict: 'served' },
  gone: { stopAfterTerminationMs: 10_000, verdict: 'served' },
  'never-started': { stopAfterTerminationMs: null, verdict: 'failed' },
  'never-joined': { stopAfterTerminationMs: null, verdict: 'failed' },
  missing: { stopAfterTerminationMs: null, verdict: 'failed' },
  lingering: { stopAfterTerminationMs: null, verdict: null },
  surplus: { stopAfterTerminationMs: null, verdict: 'displaced' },
  left: { stopAfterTerminationMs: null, verdict: 'served' },
  unregistered: { stopAfterTerminationMs: null, verdict: 'failed' },
  retired: { stopAfterTerminationMs: 1_000, verdict: 'served' },
};

const SERVED: EndStyle = { stopAfterTerminationMs: 0, verdict: 'served' };
/** Ten seconds for what the job has to put in order. */
const KILLED = { stopAfterTerminationMs: 10_000, kill: true } as const;

/**
 * LiveKit's own workers: their exit codes say nothing, so JobTermination loses nothing, and SIGTERM
 * without it means "finish your job first", for up to an hour. With it, both end within a second of
 * the shutdown callbacks' end.
 */
const FOREIGN_STYLES: EndStyles = {
  operator: SERVED,
  'max-lifetime': SERVED,
  gone: SERVED,
  left: SERVED,
  'never-started': { stopAfterTerminationMs: null, verdict: 'failed' },
  'never-joined': { ...KILLED, verdict: 'failed' },
  missing: { ...KILLED, verdict: 'failed' },
  lingering: { ...KILLED, verdict: null },
  surplus: { ...KILLED, verdict: 'displaced' },
  unregistered: { stopAfterTerminationMs: null, verdict: 'failed' },
  retired: SERVED,
};

/** How a task is ended. `runner`: does it run our runner? What cannot be told is foreign. */
export function endStyle(cause: EndCause, { runner }: Pick<ObservedTask, 'runner'>): EndStyle {
  return (runner === true ? RUNNER_STYLES : FOREIGN_STYLES)[cause];
}

/**
 * A stop's reason as it is given to the engine: with the verdict in front, so that a later launcher
 * can read it where the engine keeps it. `verdict` null: the exit alone decides.
 */
export function stopReason(verdict: Verdict | null, reason: string): string {
  return verdict === null ? reason : `${verdict}: ${reason}`;
}

function judgeStop({ stopReason: kept = '' }: Exit): Judgement | null {
  const [, verdict, reason] = /^(served|failed|displaced): (.*)$/s.exec(kept) ?? [];
  return verdict === undefined || reason === undefined
    ? null
    : { verdict: verdict as Verdict, reason };
}

/** LiveKit's CLIENT_INITIATED and PARTICIPANT_REMOVED: the agent does not mean to come back. */
const CLEAN_LEAVES: readonly number[] = [1, 4];

/** Did the agent of a foreign task leave for good? `reason`: LiveKit's DisconnectReason. */
export function isCleanLeave(reason: number): boolean {
  return CLEAN_LEAVES.includes(reason);
}

/** The verdict on an ended task. `cause`: why this process ended it, where it did. */
export function judge(task: ObservedTask, cause: EndCause | null, causeReason = ''): Judgement {
  const decided = cause === null ? null : endStyle(cause, task).verdict;
  if (decided !== null) return { verdict: decided, reason: causeReason };
  const exit = task.exit ?? { code: null, oomKilled: false, detail: '' };
  const stopped = judgeStop(exit);
  if (stopped !== null) return stopped;
  if (exit.oomKilled) return { verdict: 'failed', reason: 'killed: out of memory' };
  if (task.runner === true) return judgeRunner(exit);
  if (exit.code === null || exit.code === 0 || exit.code === 143) {
    return { verdict: 'unreadable', reason: `ended unseen (${describeCode(exit)})` };
  }
  return { verdict: 'failed', reason: describeCode(exit) };
}

/** Our runner's exit codes; the other side of this table is `agent-image/`. */
function judgeRunner(exit: Exit): Judgement {
  const where = exit.detail || 'the task log says why';
  switch (exit.code) {
    case 0:
      return { verdict: 'served', reason: 'the job ended' };
    case 1:
      return { verdict: 'failed', reason: `agent code failed (exit 1): ${where}` };
    case 64:
      return {
        verdict: 'fatal',
        reason: `the agent file or a setting of the task is wrong (exit 64): ${where}`,
      };
    case 75:
      return {
        verdict: 'failed',
        reason: `could not get, join or keep the room (exit 75): ${where}`,
      };
    case 76:
      return { verdict: 'displaced', reason: 'displaced by a newer agent (exit 76)' };
    case 143:
      return { verdict: 'failed', reason: 'stopped from outside (exit 143)' };
    default:
      return { verdict: 'failed', reason: describeCode(exit) };
  }
}

function describeCode(exit: Exit): string {
  const code = exit.code === null ? 'exit code lost' : `exit ${exit.code}`;
  return exit.detail ? `${code}: ${exit.detail}` : code;
}
