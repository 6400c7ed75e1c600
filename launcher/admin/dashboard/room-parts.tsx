/** The parts of a room's page: who is there and who serves it, its tasks step by step, its log. */
import type { RoomRow, StartUp, TaskRow } from '../ports.ts';
import { Age, State } from './cells.tsx';
import { RoomStop, toneOf } from './rooms.tsx';
import { Legend, scaleFor, StartUpBar, stepsInWords, stepsOf, totalMs } from './start-up-bar.tsx';
import { TaskPhase, TaskStop, Verdict } from './tasks.tsx';
import { ageOf } from './words.ts';

export function Head({
  sid,
  name,
  room,
}: {
  sid: string;
  name: string | null;
  room: RoomRow | undefined;
}) {
  return (
    <>
      <h1>{name || sid}</h1>
      <dl class="facts">
        <div>
          <dt>State</dt>
          <dd>
            {room ? (
              <State tone={toneOf(room.state)}>{room.state}</State>
            ) : (
              <State tone="idle">over</State>
            )}
          </dd>
        </div>
        <div class="wide">
          <dt>Reason</dt>
          <dd>{room?.reason ?? 'the room is over, and no task of it runs'}</dd>
        </div>
        <div>
          <dt>People</dt>
          <dd>{room?.participants ?? '–'}</dd>
        </div>
        <div>
          <dt>Profile</dt>
          <dd>{room?.profile ?? 'none'}</dd>
        </div>
        <div>
          <dt>Attempts</dt>
          <dd>{room?.attempts ?? '–'}</dd>
        </div>
        <div>
          <dt>Age</dt>
          <dd>
            <Age since={room?.createdAt ?? null} />
          </dd>
        </div>
        <div>
          <dt>Sid</dt>
          <dd class="mono">{sid}</dd>
        </div>
        <div>{room && <RoomStop room={room} />}</div>
      </dl>
      {room && <Others count={room.otherAgents} />}
    </>
  );
}

function Others({ count }: { count: number }) {
  if (count === 0) return null;
  return (
    <div class="notice">
      <p>
        <State tone="warn">
          {count === 1 ? 'Another agent sits' : `${count} other agents sit`} in this room beside
          ours.
        </State>
      </p>
      <p>
        Most likely a LiveKit worker that takes every room is connected to the same server. Stop it,
        or give it a name (<code>agentName</code>), so that only dispatches reach it.
      </p>
    </div>
  );
}

export function Log({ task }: { task: string | null }) {
  if (task === null) return <p class="empty">No task of this room has printed anything.</p>;
  return (
    <pre class="log" data-log={task} tabindex={0} role="log" aria-label={`Log of ${task}`}>
      Reading the log …
    </pre>
  );
}

interface TasksProps {
  readonly tasks: readonly TaskRow[];
  readonly startOf: (task: TaskRow) => StartUp | undefined;
}

export function Tasks({ tasks, startOf }: TasksProps) {
  if (tasks.length === 0) return <p class="empty">No task of this room is known to the engine.</p>;
  const times = tasks.map((task) => totalMs(stepsOf(startOf(task) ?? {})) ?? 0);
  const scaleMs = scaleFor(times.toSorted((a, b) => a - b));
  return (
    <>
      <Legend scaleMs={scaleMs} />
      {tasks.map((task) => (
        <article class="task">
          <h3 class="mono">{task.key ?? task.taskId}</h3>
          <dl class="facts">
            <div>
              <dt>{task.phase === 'ended' ? 'Verdict' : 'Phase'}</dt>
              <dd>
                {task.phase === 'ended' ? <Verdict task={task} /> : <TaskPhase task={task} />}
              </dd>
            </div>
            <div class="wide">
              <dt>Reason</dt>
              <dd>{task.reason || '–'}</dd>
            </div>
            <div>
              <dt>Exit</dt>
              <dd>{task.exitCode ?? '–'}</dd>
            </div>
            <div>
              <dt>Socket</dt>
              <dd>{task.socket ?? 'none'}</dd>
            </div>
            <div>
              <dt>CPU</dt>
              <dd class="use" data-cpu={task.key} />
            </div>
            <div>
              <dt>Memory</dt>
              <dd class="use" data-memory={task.key} />
            </div>
            <div>
              <dt>{task.endedAt ? 'Ran for' : 'Up'}</dt>
              <dd>
                {task.endedAt && task.startedAt ? (
                  ageOf(Date.parse(task.endedAt) - Date.parse(task.startedAt))
                ) : (
                  <Age since={task.startedAt} />
                )}
              </dd>
            </div>
            <div>
              <TaskStop task={task} />
            </div>
          </dl>
          <Steps start={startOf(task)} scaleMs={scaleMs} />
        </article>
      ))}
    </>
  );
}

function Steps({ start, scaleMs }: { start: StartUp | undefined; scaleMs: number }) {
  const steps = stepsOf(start ?? {});
  if (steps.length === 0) return <p class="muted">This launcher did not see it start.</p>;
  return (
    <div class="steps">
      <StartUpBar start={start} scaleMs={scaleMs} />
      <span class="muted">{stepsInWords(steps)}</span>
    </div>
  );
}
