/**
 * From what the engine says of a container to the task as the contract shows it. Pure.
 *
 * | engine's status | phase |
 * |---|---|
 * | created | starting; with an error of its start: ended, it will never run |
 * | running, paused, restarting, any other | running; stopping while a stop of ours is under way |
 * | exited, dead, removing | ended |
 *
 * The engine has no word for "stopping": another launcher sees `running` until the end.
 */
import { engineName, type Exit, type ObservedTask, type Phase, type TaskId } from '../../driver.ts';
import { keyOf, type Labels, LABELS } from './labels.ts';

/** What is read of the engine's answer about one container. */
export interface Inspection {
  readonly Id: string;
  /** With a leading slash. */
  readonly Name: string;
  readonly Created: string;
  readonly Config: { readonly Image: string; readonly Labels: Labels | null };
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Error: string;
    /** Year 1 for "never"; so is the other. */
    readonly StartedAt: string;
    readonly FinishedAt: string;
  };
}

const ENDED = new Set(['exited', 'dead', 'removing']);

/** Created and never tried to start: what a crash between the two leaves. */
export function isHalfDone({ State }: Inspection): boolean {
  return State.Status === 'created' && State.ExitCode === 0 && State.Error === '';
}

export function isOfDeployment({ Config }: Inspection, deployment: string): boolean {
  return Config.Labels?.[LABELS.deployment] === deployment;
}

/** A container of this deployment as a task; `stopping`: a stop of ours is under way. */
export function taskOf(seen: Inspection, deployment: string, stopping: boolean): ObservedTask {
  const labels = seen.Config.Labels ?? {};
  const key = keyOf(labels, deployment);
  const named = key !== null && seen.Name === `/${engineName(deployment, key)}`;
  const phase = phaseOf(seen, stopping);
  const createdAtMs = timeOf(seen.Created) ?? 0;
  const startedAtMs = timeOf(seen.State.StartedAt);
  return {
    taskId: seen.Id as TaskId,
    // A container under another name does not hold its key's name: it is damaged.
    key: named ? key : null,
    phase,
    template: seen.Config.Image,
    runner: labels[LABELS.runner] === '1',
    createdAtMs,
    ...(startedAtMs === null ? {} : { startedAtMs }),
    ...(phase === 'ended'
      ? { endedAtMs: timeOf(seen.State.FinishedAt) ?? createdAtMs, exit: exitOf(seen) }
      : {}),
  };
}

function phaseOf(seen: Inspection, stopping: boolean): Phase {
  const status = seen.State.Status;
  if (ENDED.has(status)) return 'ended';
  if (status === 'created') return isHalfDone(seen) ? 'starting' : 'ended';
  return stopping ? 'stopping' : 'running';
}

/** A child that ran out of memory is no end for want of memory if the task went on to a good end. */
function exitOf(seen: Inspection): Exit {
  const { State } = seen;
  const oomKilled = State.OOMKilled && State.ExitCode !== 0;
  return { code: State.ExitCode, oomKilled, detail: detailOf(seen, oomKilled) };
}

function detailOf({ State: state, Name }: Inspection, oomKilled: boolean): string {
  if (state.Error !== '') return state.Error.replace(/\s+/g, ' ').trim();
  if (oomKilled) return 'killed: it needed more memory than its limit';
  if (state.ExitCode === 126 || state.ExitCode === 127) {
    return 'its program is missing or cannot be run (of another architecture?)';
  }
  return state.ExitCode === 0 ? '' : `its log: docker logs ${Name.slice(1)}`;
}

function timeOf(text: string): number | null {
  const ms = Date.parse(text);
  return ms > 0 ? ms : null;
}
