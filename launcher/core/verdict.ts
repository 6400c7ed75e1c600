/**
 * What a task's end means for its run.
 *
 * Our runner's exit codes are readable by any launcher, also one that started later. What this
 * process decided itself (an operator's stop, a task that never joined) is remembered and wins.
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
  | 'surplus';

/** How a task is ended for a cause, and what its end then means. */
export interface EndStyle {
  /** JobTermination first, SIGTERM this much later; null: SIGTERM at once, no JobTermination, so
   * that our runner's exit code says that the end was not the job's. */
  readonly stopAfterTerminationMs: number | null;
  /** Null: the exit alone decides. */
  readonly verdict: Verdict | null;
}

export const END_STYLES: Readonly<Record<EndCause, EndStyle>> = {
  operator: { stopAfterTerminationMs: 1_000, verdict: 'served' },
  'max-lifetime': { stopAfterTerminationMs: 1_000, verdict: 'served' },
  gone: { stopAfterTerminationMs: 10_000, verdict: 'served' },
  'never-started': { stopAfterTerminationMs: null, verdict: 'failed' },
  'never-joined': { stopAfterTerminationMs: null, verdict: 'failed' },
  missing: { stopAfterTerminationMs: null, verdict: 'failed' },
  lingering: { stopAfterTerminationMs: null, verdict: null },
  surplus: { stopAfterTerminationMs: null, verdict: 'displaced' },
};

/** The verdict on an ended task. `cause`: why this process ended it, where it did. */
export function judge(task: ObservedTask, cause: EndCause | null, causeReason = ''): Judgement {
  const decided = cause === null ? null : END_STYLES[cause].verdict;
  if (decided !== null) return { verdict: decided, reason: causeReason };
  const exit = task.exit ?? { code: null, oomKilled: false, detail: '' };
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
