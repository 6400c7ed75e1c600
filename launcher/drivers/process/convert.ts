/**
 * From what stands in a task's folder to the task as the contract shows it. Pure.
 *
 * | claim | supervisor | exit file | child | phase |
 * |---|---|---|---|---|
 * | none | | | | starting; a repeat of `launch` starts it |
 * | ended | | | | ended: stopped before it ran |
 * | pid | any | yes | | ended |
 * | pid | alive | no | | starting, running, stopping, as its files say |
 * | pid | gone | no | alive | running: the room is still served; nobody will know the exit |
 * | pid | gone | no | gone | ended, code null: lost (killed supervisor, reboot) |
 * | unreadable | | no | | running: a state that this version does not know |
 */
import type { Exit, ObservedTask, Phase, TaskId, TaskKey } from '../../driver.ts';
import type { ClaimRecord, ExitRecord, StartedRecord, TaskRecord } from './records.ts';

/** What was found in a folder; `null`: no such file, `unreadable`: not such a record. */
export interface Findings {
  readonly key: TaskKey;
  readonly record: TaskRecord;
  readonly createdAtMs: number;
  readonly claim: ClaimRecord | 'unreadable' | null;
  readonly started: StartedRecord | 'unreadable' | null;
  readonly stopping: boolean;
  readonly exit: ExitRecord | 'unreadable' | null;
  readonly supervisorAlive: boolean;
  readonly childAlive: boolean;
  /** Newest time of any file in the folder. */
  readonly lastSignMs: number;
}

/** How the task can be reached, for `launch` and `stop`. */
export type Reach =
  | { readonly by: 'nobody-yet' }
  | { readonly by: 'supervisor'; readonly pid: number }
  /** Its supervisor is gone; the pid is the task's own, which leads its process group. */
  | { readonly by: 'group'; readonly pid: number }
  | { readonly by: 'none' };

export interface Sighting {
  readonly task: ObservedTask;
  readonly reach: Reach;
}

export function sightingOf(found: Findings): Sighting {
  const { claim, started, exit } = found;
  if (claim === null) return live(found, 'starting', { by: 'nobody-yet' });
  if (claim !== 'unreadable' && 'endedWith' in claim) {
    const code = claim.endedWith;
    return ended(found, exitWith(code, 'stopped before it started'), found.lastSignMs);
  }
  if (exit === 'unreadable') {
    return ended(found, exitWith(null, 'its exit cannot be read'), found.lastSignMs);
  }
  if (exit !== null) return ended(found, exitWith(exit.code, exit.detail), exit.atMs);
  if (claim === 'unreadable') return live(found, 'running', { by: 'none' });
  if (found.supervisorAlive) {
    return live(found, phaseOf(found), { by: 'supervisor', pid: claim.pid });
  }
  if (found.childAlive && started !== null && started !== 'unreadable') {
    return live(found, phaseOf(found), { by: 'group', pid: started.pid });
  }
  return ended(found, exitWith(null, 'lost: its supervisor is gone'), found.lastSignMs);
}

/** Something in the directory that is no task of ours: reported, never touched. */
export function damaged(name: string, createdAtMs: number): Sighting {
  return {
    task: {
      taskId: name as TaskId,
      key: null,
      phase: 'running',
      template: '',
      runner: null,
      createdAtMs,
    },
    reach: { by: 'none' },
  };
}

function phaseOf(found: Findings): Phase {
  if (found.stopping) return 'stopping';
  return found.started === null ? 'starting' : 'running';
}

function live(found: Findings, phase: Phase, reach: Reach): Sighting {
  return { task: { ...taskOf(found), phase }, reach };
}

function ended(found: Findings, exit: Exit, endedAtMs: number): Sighting {
  return { task: { ...taskOf(found), phase: 'ended', endedAtMs, exit }, reach: { by: 'none' } };
}

function taskOf(found: Findings): Omit<ObservedTask, 'phase'> {
  const { key, record, started, createdAtMs } = found;
  return {
    taskId: record.id as TaskId,
    key,
    template: record.template,
    runner: true,
    createdAtMs,
    ...(started !== null && started !== 'unreadable' ? { startedAtMs: started.atMs } : {}),
  };
}

function exitWith(code: number | null, detail: string): Exit {
  return { code, oomKilled: false, detail };
}
