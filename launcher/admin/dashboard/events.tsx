/** The rows of the event stream. */
import type { NumberedEvent } from '../ports.ts';
import type { RowMaker } from './board.ts';
import { At, type Column, RoomLink } from './cells.tsx';
import { wordsOf } from './words.ts';
import { htmlOf } from './html.ts';

export const EVENT_COLUMNS: readonly Column[] = [
  { title: 'Time', class: 'c-time' },
  { title: 'Event', class: 'c-event' },
  { title: 'Room', class: 'c-room' },
  { title: 'Task', class: 'c-key' },
  { title: 'What happened', class: 'c-what' },
];

/** Kinds that the stream can be narrowed to, by the words that its rows are found by. */
export const EVENT_FILTERS: readonly (readonly [words: string, title: string])[] = [
  ['', 'All events'],
  ['level:warn', 'Troubles'],
  ['event:webhook.receive', 'Webhooks'],
  ['event:task.launch', 'Launches'],
  ['event:task.register', 'Registrations'],
  ['event:task.assign', 'Assignments'],
  ['event:task.active', 'Agents in their rooms'],
  ['event:task.end', 'Ends'],
  ['event:task.call', 'Server API calls'],
  ['event:standby.ready', 'Standbys'],
  ['event:run.fail', 'Failed runs'],
];

export interface EventView {
  readonly event: NumberedEvent;
  readonly sid: string | null;
  readonly room: string | null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function EventLine({ event, sid, room }: EventView) {
  const task = textOf(event.fields['task']);
  return (
    <tr data-row={String(event.number)} class={event.level === 'warn' ? 'trouble' : ''}>
      <td class="c-time mono">
        <At atMs={event.atMs} />
      </td>
      <td class="c-event">
        {event.level === 'warn' && (
          <span class="mark" role="img" aria-label="trouble">
            ▲{' '}
          </span>
        )}
        {event.event}
      </td>
      <td class="c-room">{sid && <RoomLink sid={sid} name={room} />}</td>
      <td class="c-key mono">
        <span class="cut" title={task ?? undefined}>
          {task}
        </span>
      </td>
      <td class="c-what">{wordsOf(event)}</td>
    </tr>
  );
}

export const EVENT_ROWS: RowMaker<EventView> = {
  id: ({ event }) => String(event.number),
  find: wordsOfRow,
  html: (view) => htmlOf(<EventLine {...view} />),
};

/** Words of an event's row for the filter. */
function wordsOfRow({ event, sid, room }: EventView): string {
  const named = [room, sid, textOf(event.fields['task'])].filter(Boolean).join(' ');
  return `${named} event:${event.event} level:${event.level}`.toLowerCase();
}
