/** The rows of tasks: those that run, standbys that wait, and those that ended. */
import type { Phase } from '../../driver.ts';
import type { StartUp, TaskRow } from '../ports.ts';
import type { RowMaker } from './board.ts';
import {
  Age,
  type Column,
  NO_OTHER,
  RoomLink,
  State,
  StopButton,
  type Tone,
  UsageCells,
} from './cells.tsx';
import { StartUpBar } from './start-up-bar.tsx';
import { ageOf, verdictOf } from './words.ts';
import { htmlOf } from './html.ts';

const USE: readonly Column[] = [
  { title: 'CPU', class: 'c-use num' },
  { title: 'Memory', class: 'c-use num' },
];

export const TASK_COLUMNS: readonly Column[] = [
  { title: 'Task', class: 'c-key' },
  { title: 'Room', class: 'c-room' },
  { title: 'Attempt', class: 'c-few num' },
  { title: 'Phase', class: 'c-state' },
  { title: 'Start-up', class: 'c-bar' },
  ...USE,
  { title: 'Up', class: 'c-age num' },
  { title: '', class: 'c-act' },
];
export const STANDBY_COLUMNS: readonly Column[] = [
  { title: 'Standby', class: 'c-key' },
  { title: 'State', class: 'c-state' },
  ...USE,
  { title: 'Up', class: 'c-age num' },
  { title: '', class: 'c-act' },
];
export const END_COLUMNS: readonly Column[] = [
  { title: 'Task', class: 'c-key' },
  { title: 'Room', class: 'c-room' },
  { title: 'Verdict', class: 'c-state' },
  { title: 'Reason', class: 'c-reason' },
  { title: 'Exit', class: 'c-few num' },
  { title: 'Ran for', class: 'c-age num' },
  { title: 'Ended', class: 'c-age num' },
];

const PHASES: Readonly<Record<Phase, Tone>> = {
  starting: 'busy',
  running: 'good',
  stopping: 'busy',
  ended: 'idle',
};
const VERDICTS: Readonly<Record<string, Tone>> = {
  served: 'good',
  displaced: 'idle',
  failed: 'bad',
  fatal: 'bad',
  unreadable: 'warn',
};

/** A task and the name of its room, where that is known. */
export interface EndView {
  readonly task: TaskRow;
  readonly room: string | null;
}

/** A task with what else is known of it. */
export interface TaskView extends EndView {
  readonly start: StartUp | undefined;
  readonly scaleMs: number;
}

export function Verdict({ task }: { task: TaskRow }) {
  return <State tone={VERDICTS[task.verdict ?? ''] ?? 'idle'}>{verdictOf(task)}</State>;
}

export function TaskPhase({ task }: { task: TaskRow }) {
  return (
    <State tone={PHASES[task.phase]}>
      <span title={task.reason || undefined}>{task.phase}</span>
    </State>
  );
}

export function TaskStop({ task }: { task: TaskRow }) {
  if (task.key === null || task.phase === 'ended' || task.phase === 'stopping') return null;
  return (
    <StopButton
      path={`/api/tasks/${encodeURIComponent(task.key)}/stop`}
      label={`Stop ${task.key}`}
      then={task.sid === null ? 'Another standby takes its place.' : NO_OTHER}
    />
  );
}

function Key({ task }: { task: TaskRow }) {
  const text = task.key ?? task.taskId;
  return (
    <th scope="row" class="c-key mono">
      <span class="cut" title={text}>
        {text}
      </span>
    </th>
  );
}

function TaskLine({ task, room, start, scaleMs }: TaskView) {
  return (
    <tr data-row={task.taskId}>
      <Key task={task} />
      <td class="c-room">
        {task.sid === null ? (
          <span class="muted">{task.key === null ? 'cannot be read: never touched' : '–'}</span>
        ) : (
          <RoomLink sid={task.sid} name={room} />
        )}
      </td>
      <td class="num c-few">{task.attempt ?? '–'}</td>
      <td class="c-state">
        <TaskPhase task={task} />
      </td>
      <td class="c-bar">
        <StartUpBar start={start} scaleMs={scaleMs} />
      </td>
      <UsageCells taskKey={task.key} />
      <td class="num c-age">
        <Age since={task.startedAt} />
      </td>
      <td class="c-act">
        <TaskStop task={task} />
      </td>
    </tr>
  );
}

function StandbyLine({ task }: EndView) {
  const ready = task.standby === 'ready';
  return (
    <tr data-row={task.taskId}>
      <Key task={task} />
      <td class="c-state">
        <State tone={ready ? 'good' : 'busy'}>{ready ? 'ready' : task.phase}</State>
      </td>
      <UsageCells taskKey={task.key} />
      <td class="num c-age">
        <Age since={task.startedAt} />
      </td>
      <td class="c-act">
        <TaskStop task={task} />
      </td>
    </tr>
  );
}

function EndLine({ task, room }: EndView) {
  const { startedAt, endedAt } = task;
  const ranMs = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : null;
  return (
    <tr data-row={task.taskId}>
      <Key task={task} />
      <td class="c-room">{task.sid && <RoomLink sid={task.sid} name={room} />}</td>
      <td class="c-state">
        <Verdict task={task} />
      </td>
      <td class="c-reason">
        <span class="two-lines" title={task.reason}>
          {task.reason}
        </span>
      </td>
      <td class="num c-few">{task.exitCode ?? '–'}</td>
      <td class="num c-age">{ranMs === null ? '–' : ageOf(ranMs)}</td>
      <td class="num c-age">
        <Age since={endedAt} />
      </td>
    </tr>
  );
}

const NAMED = { id: ({ task }: EndView) => task.taskId, find: wordsOf };

export const TASK_ROWS: RowMaker<TaskView> = {
  ...NAMED,
  html: (view) => htmlOf(<TaskLine {...view} />),
};
export const STANDBY_ROWS: RowMaker<EndView> = {
  ...NAMED,
  html: (view) => htmlOf(<StandbyLine {...view} />),
};
export const END_ROWS: RowMaker<EndView> = {
  ...NAMED,
  html: (view) => htmlOf(<EndLine {...view} />),
};

/** Words of a task's row for the filter. */
function wordsOf({ task, room }: EndView): string {
  const state = task.phase === 'ended' ? (task.verdict ?? 'ended') : (task.standby ?? task.phase);
  return `${task.key ?? task.taskId} ${room ?? ''} ${task.sid ?? ''} state:${state}`.toLowerCase();
}
