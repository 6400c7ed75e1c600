/** A room's own page: its tasks, step by step, what happened in it, what its container prints. */
import { raw } from 'hono/html';
import type { About, AdminHost, TaskRow } from '../ports.ts';
import { type Board, RowCache } from './board.ts';
import { LiveTable } from './cells.tsx';
import { EVENT_COLUMNS, EVENT_ROWS } from './events.tsx';
import { htmlOf } from './html.ts';
import { byTime, newestEvents, sidOf } from './overview-board.tsx';
import { Outages, Page, pageHtml } from './page.tsx';
import { Head, Log, Tasks } from './room-parts.tsx';

const PLACES = [
  ['room', 'Room'],
  ['tasks', 'Tasks'],
  ['log', 'Log'],
  ['events', 'History'],
] as const;

export class RoomBoard {
  readonly #host: AdminHost;
  readonly #sid: string;
  readonly #events = new RowCache(EVENT_ROWS);

  constructor(host: AdminHost, sid: string) {
    this.#host = host;
    this.#sid = sid;
  }

  /** Null: nothing is known of a room of this sid, or not any more. */
  board(usage: Board['usage']): Board | null {
    const host = this.#host;
    const sid = this.#sid;
    const room = host.rooms().find((each) => each.sid === sid);
    const tasks = host.tasks().filter((task) => task.sid === sid);
    const events = newestEvents(host, (event) => sidOf(event) === sid);
    if (!room && tasks.length === 0 && events.length === 0) return null;
    const newest = tasks.toSorted(byTime((task) => task.createdAt));
    const startOf = (task: TaskRow) =>
      task.key === null ? undefined : host.dashboard.startUp(task.key);
    return {
      lists: { events: this.#events.rows(events) },
      parts: {
        outages: htmlOf(<Outages {...host.ready()} />),
        room: htmlOf(<Head sid={sid} name={host.roomName(sid)} room={room} />),
        tasks: htmlOf(<Tasks tasks={newest} startOf={startOf} />),
        log: htmlOf(<Log task={newest[0]?.key ?? null} />),
      },
      usage,
      behind: this.#events.behind,
    };
  }
}

export function roomPageHtml(sid: string, board: Board, about: About, version: string): string {
  const part = (name: string) => raw(board.parts[name] ?? '');
  const events = board.lists['events'] ?? [];
  return pageHtml(
    <Page
      title={`Room · ${about.deployment} · Room Launcher`}
      about={about}
      version={version}
      live={`/rooms/${encodeURIComponent(sid)}/live`}
      places={PLACES}
    >
      <div data-part="outages">{part('outages')}</div>
      <section id="room" data-part="room">
        {part('room')}
      </section>
      <section id="tasks" aria-labelledby="tasks-title">
        <header>
          <h2 id="tasks-title">Tasks</h2>
        </header>
        <div data-part="tasks">{part('tasks')}</div>
      </section>
      <section id="log" aria-labelledby="log-title">
        <header>
          <h2 id="log-title">Log of the newest task</h2>
        </header>
        <div data-part="log">{part('log')}</div>
      </section>
      <LiveTable
        name="events"
        title="History"
        columns={EVENT_COLUMNS}
        rows={events}
        total={events.length}
        empty={<p>Nothing was told of this room lately.</p>}
      />
    </Page>,
  );
}
