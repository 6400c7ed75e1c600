/** The small pieces that the tables have in common. */
import { raw } from 'hono/html';
import type { Child } from 'hono/jsx';

/** How good a state is; a mark's form says it too, so that nobody has to tell colours apart. */
export type Tone = 'good' | 'busy' | 'warn' | 'bad' | 'idle';

const MARKS: Readonly<Record<Tone, string>> = {
  good: '●',
  busy: '◐',
  warn: '▲',
  bad: '✕',
  idle: '○',
};

/** A state: its mark and its word. */
export function State({ tone, children }: { tone: Tone; children?: Child }) {
  return (
    <span class={`state ${tone}`}>
      <span class="mark" aria-hidden="true">
        {MARKS[tone]}
      </span>
      {children}
    </span>
  );
}

/** How long ago; `client.js` fills it in and keeps counting. */
export function Age({ since }: { since: string | null }) {
  if (since === null) return <span class="muted">–</span>;
  return <time class="since" dateTime={since} />;
}

/** The time of day, in the reader's own zone once `client.js` has seen it. */
export function At({ atMs }: { atMs: number }) {
  const iso = new Date(atMs).toISOString();
  return (
    <time class="at" dateTime={iso}>
      {iso.slice(11, 19)}
    </time>
  );
}

/** A link to a room's page, by its name where that is known. */
export function RoomLink({ sid, name }: { sid: string; name: string | null }) {
  return (
    <a href={`/rooms/${encodeURIComponent(sid)}`} title={name || sid} class={name ? '' : 'mono'}>
      {name || sid}
    </a>
  );
}

/** What follows when a room's agent is stopped. */
export const NO_OTHER = 'No other agent is started for its room.';

/** Asks first (`client.js`), then posts. `then` says what follows. */
export function StopButton({ path, label, then }: { path: string; label: string; then: string }) {
  return (
    <button type="button" class="stop" data-stop={path} data-then={then} aria-label={label}>
      Stop
    </button>
  );
}

/** What a task uses now; filled in by `client.js`. */
export function UsageCells({ taskKey }: { taskKey: string | null }) {
  return (
    <>
      <td class="num use" data-cpu={taskKey} />
      <td class="num use" data-memory={taskKey} />
    </>
  );
}

export interface Column {
  readonly title: string;
  /** Names its width in the style sheet. */
  readonly class: string;
}

/** A table whose rows `client.js` keeps; `empty` stands in their place while there are none. */
export function LiveTable(props: {
  name: string;
  title: string;
  columns: readonly Column[];
  rows: readonly { readonly html: string }[];
  /** How many rows there are in all. */
  total: number;
  empty: Child;
  children?: Child;
}) {
  const { name, title, columns, rows, total, empty, children } = props;
  return (
    <section id={name} aria-labelledby={`${name}-title`}>
      <header>
        <h2 id={`${name}-title`}>{title}</h2>
        <span class="count" data-count={name} aria-live="off">
          {total}
        </span>
        {children}
      </header>
      <table data-list={name} hidden={rows.length === 0} aria-labelledby={`${name}-title`}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col" class={column.class}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{rows.map(({ html }) => raw(html))}</tbody>
      </table>
      <div class="empty" data-empty={name} hidden={rows.length > 0}>
        {empty}
      </div>
      <nav class="pages" data-pages={name} aria-label={`${title}, pages`} hidden>
        <button type="button" data-turn="-1">
          Previous
        </button>
        <span data-page />
        <button type="button" data-turn="1">
          Next
        </button>
      </nav>
    </section>
  );
}
