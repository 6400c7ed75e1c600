/** The page at `/`, as it is sent: the newest rows of each table; the rest comes over the live line. */
import { raw } from 'hono/html';
import type { About } from '../ports.ts';
import type { Board } from './board.ts';
import { LiveTable } from './cells.tsx';
import { EVENT_COLUMNS, EVENT_FILTERS } from './events.tsx';
import { Page, pageHtml } from './page.tsx';
import { ROOM_COLUMNS } from './rooms.tsx';
import { END_COLUMNS, STANDBY_COLUMNS, TASK_COLUMNS } from './tasks.tsx';

/** As many as client.js shows at once. */
const FIRST_ROWS = 25;
const PLACES = [
  ['rooms', 'Rooms'],
  ['tasks', 'Tasks'],
  ['standbys', 'Standbys'],
  ['ends', 'Ends'],
  ['events', 'Events'],
  ['plots', 'Plots'],
] as const;

function EventFilter() {
  return (
    <label class="kind">
      <span class="hidden">Kind of event</span>
      <select data-narrow="events">
        {EVENT_FILTERS.map(([words, title]) => (
          <option value={words}>{title}</option>
        ))}
      </select>
    </label>
  );
}

function NoRooms({ webhookListen }: About) {
  return (
    <>
      <p>
        <b>No live rooms.</b> As soon as somebody opens one, it shows here and an agent joins it.
      </p>
      <p>
        To try: <code>lk room create test</code>, or <code>npm run demo -- --stay</code>. If it
        stays empty: LiveKit has to post its webhooks to <code>/webhook</code> at{' '}
        <code>{webhookListen}</code>; a room whose webhook is lost is found by the next resync.
      </p>
    </>
  );
}

function NoStandbys({ standbysWanted }: About) {
  if (standbysWanted.size > 0) {
    return <p>No standbys wait now; the launcher starts them when no room stands in line.</p>;
  }
  return (
    <p>
      No standbys: each room waits for its task to start. <code>LAUNCHER_STANDBY=2</code> keeps two
      ready, which join within a second.
    </p>
  );
}

function PlotsSection({ html }: { html: string }) {
  return (
    <section id="plots" aria-labelledby="plots-title">
      <header>
        <h2 id="plots-title">Start-ups and counts</h2>
      </header>
      <div class="plots" data-part="plots">
        {raw(html)}
      </div>
    </section>
  );
}

export function overviewHtml(board: Board, about: About, version: string): string {
  const rowsOf = (name: string) => board.lists[name]?.slice(0, FIRST_ROWS) ?? [];
  const totalOf = (name: string) => board.lists[name]?.length ?? 0;
  const table = (name: string) => ({ name, rows: rowsOf(name), total: totalOf(name) });
  const part = (name: string) => raw(board.parts[name] ?? '');
  return pageHtml(
    <Page
      title={`Room Launcher · ${about.deployment}`}
      about={about}
      version={version}
      live="/dashboard/live"
      places={PLACES}
    >
      <h1 class="hidden">Rooms and their agents</h1>
      <div data-part="outages">{part('outages')}</div>
      <div class="summary" data-part="summary">
        {part('summary')}
      </div>
      <LiveTable
        {...table('rooms')}
        title="Rooms"
        columns={ROOM_COLUMNS}
        empty={<NoRooms {...about} />}
      />
      <LiveTable
        {...table('tasks')}
        title="Tasks"
        columns={TASK_COLUMNS}
        empty={<p>No task runs for a room.</p>}
      >
        <div data-part="legend">{part('legend')}</div>
      </LiveTable>
      <LiveTable
        {...table('standbys')}
        title="Standbys"
        columns={STANDBY_COLUMNS}
        empty={<NoStandbys {...about} />}
      />
      <LiveTable
        {...table('ends')}
        title="Recent ends"
        columns={END_COLUMNS}
        empty={<p>No task has ended that the engine still knows.</p>}
      />
      <LiveTable
        {...table('events')}
        title="Events"
        columns={EVENT_COLUMNS}
        empty={<p>Nothing has happened since the launcher started.</p>}
      >
        <EventFilter />
      </LiveTable>
      <PlotsSection html={board.parts['plots'] ?? ''} />
    </Page>,
  );
}
