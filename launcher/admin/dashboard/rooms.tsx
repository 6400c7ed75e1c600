/** The rows of rooms: who is there, who serves them, and why not. */
import type { RunState } from '../../core/remembered.ts';
import type { RoomRow } from '../ports.ts';
import type { RowMaker } from './board.ts';
import { Age, type Column, NO_OTHER, RoomLink, State, StopButton, type Tone } from './cells.tsx';
import { htmlOf } from './html.ts';

export const ROOM_COLUMNS: readonly Column[] = [
  { title: 'Room', class: 'c-room' },
  { title: 'State', class: 'c-state' },
  { title: 'Reason', class: 'c-reason' },
  { title: 'People', class: 'c-few num' },
  { title: 'Profile', class: 'c-profile' },
  { title: 'Attempt', class: 'c-few num' },
  { title: 'Age', class: 'c-age num' },
  { title: '', class: 'c-act' },
];

const TONES: Readonly<Record<RunState, Tone>> = {
  skipped: 'idle',
  waiting: 'busy',
  launching: 'busy',
  starting: 'busy',
  running: 'busy',
  serving: 'good',
  ending: 'busy',
  served: 'idle',
  failed: 'bad',
};
/** Runs that an operator can still end. */
const STOPPABLE = new Set<RunState>(['waiting', 'launching', 'starting', 'running', 'serving']);

export function toneOf(state: RunState): Tone {
  return TONES[state];
}

export function RoomStop({ room }: { room: RoomRow }) {
  if (!STOPPABLE.has(room.state)) return null;
  return (
    <StopButton
      path={`/rooms/${encodeURIComponent(room.sid)}/stop`}
      label={`Stop the agent of ${room.name || room.sid}`}
      then={NO_OTHER}
    />
  );
}

/** What the flag means stands on the room's page. */
export function OtherAgents({ count }: { count: number }) {
  if (count === 0) return null;
  const words = count === 1 ? 'a second agent' : `${count} other agents`;
  return (
    <span class="flag" title="Somebody else's worker has sent an agent too; see the room's page">
      ▲ {words}
    </span>
  );
}

function RoomLine({ room }: { room: RoomRow }) {
  return (
    <tr data-row={room.sid}>
      <th scope="row" class="c-room">
        <RoomLink sid={room.sid} name={room.name} />
        <OtherAgents count={room.otherAgents} />
      </th>
      <td class="c-state">
        <State tone={toneOf(room.state)}>{room.state}</State>
      </td>
      <td class="c-reason">
        <span class="two-lines" title={room.reason}>
          {room.reason}
        </span>
      </td>
      <td class="num c-few">{room.participants ?? '–'}</td>
      <td class="c-profile">{room.profile ?? <span class="muted">none</span>}</td>
      <td class="num c-few">{room.attempts || '–'}</td>
      <td class="num c-age">
        <Age since={room.createdAt} />
      </td>
      <td class="c-act">
        <RoomStop room={room} />
      </td>
    </tr>
  );
}

export const ROOM_ROWS: RowMaker<RoomRow> = {
  id: (room) => room.sid,
  find: wordsOf,
  html: (room) => htmlOf(<RoomLine room={room} />),
};

/** Words of a room's row for the filter; `state:failed` finds all that failed. */
function wordsOf(room: RoomRow): string {
  const { name, sid, profile, state, otherAgents } = room;
  const flag = otherAgents > 0 ? 'state:second-agent' : '';
  return `${name} ${sid} ${profile ?? ''} state:${state} ${flag}`.toLowerCase();
}
