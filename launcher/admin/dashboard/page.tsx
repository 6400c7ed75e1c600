/** The frame of every page: head, top bar, the dialog that asks before a stop. */
import type { Child } from 'hono/jsx';
import type { About, PartState, Readiness } from '../ports.ts';
import { State } from './cells.tsx';
import { htmlOf } from './html.ts';

export const STYLE_FILE = 'style.css';
/** It imports what else it needs from beside it. */
export const SCRIPT_FILE = 'client.js';

export interface PageProps {
  readonly title: string;
  readonly about: About;
  readonly version: string;
  /** Where the page hears of changes. */
  readonly live: string;
  /** Places on the page. */
  readonly places: readonly (readonly [id: string, title: string])[];
  readonly children?: Child;
}

export function Page({ title, about, version, live, places, children }: PageProps) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title}</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href={`/dashboard/${version}/${STYLE_FILE}`} />
        <script type="module" src={`/dashboard/${version}/${SCRIPT_FILE}`} />
      </head>
      <body data-live={live} data-version={version}>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <TopBar about={about} places={places} />
        <main id="main" tabindex={-1}>
          <noscript>
            <p class="notice">Without JavaScript this is how it was when the page was loaded.</p>
          </noscript>
          {children}
        </main>
        <p class="toast" role="alert" data-toast hidden />
        <Ask />
      </body>
    </html>
  );
}

function TopBar({ about, places }: Pick<PageProps, 'about' | 'places'>) {
  return (
    <header class="top">
      <a class="brand" href="/">
        Room Launcher
      </a>
      <span class="about muted">
        {about.deployment} · {about.engine}
      </span>
      <nav aria-label="On this page">
        {places.map(([id, name]) => (
          <a href={`#${id}`}>{name}</a>
        ))}
      </nav>
      <label class="filter">
        <span class="hidden">Filter all tables</span>
        <input
          type="search"
          id="filter"
          placeholder="Filter: a name, state:failed"
          aria-keyshortcuts="/"
          autocomplete="off"
          spellcheck={false}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      <span class="line" role="status" data-line>
        connecting
      </span>
    </header>
  );
}

/** Asks before a stop; `client.js` fills it in. */
function Ask() {
  return (
    <dialog id="ask" aria-labelledby="ask-what">
      <form method="dialog">
        <p id="ask-what" />
        <p id="ask-then" class="muted" />
        <menu>
          <button type="submit" value="no">
            Keep it
          </button>
          <button type="submit" value="yes" class="danger">
            Stop
          </button>
        </menu>
      </form>
    </dialog>
  );
}

/** What is wrong with LiveKit or the engine, and what that means; nothing while all is well. */
export function Outages({ livekit, engine, firstPassDone }: Readiness) {
  const parts: readonly (readonly [string, PartState])[] = [
    ['LiveKit', livekit],
    ['The engine', engine],
  ];
  const down = parts.filter(([, { state }]) => state === 'down');
  if (down.length === 0 && firstPassDone) return null;
  return (
    <div class="notice" role="status">
      {down.map(([name, { since, reason }]) => (
        <p>
          <State tone="bad">
            {name} does not answer since {since?.slice(11, 19)} UTC: {reason}
          </State>
        </p>
      ))}
      {firstPassDone ? (
        <p>Nothing is launched or ended until it does; agents in their rooms go on.</p>
      ) : (
        <p>The first look at rooms and tasks is not done yet; what follows is not complete.</p>
      )}
    </div>
  );
}

/** A page as it is sent. */
export function pageHtml(page: { toString(): string }): string {
  return `<!doctype html>${htmlOf(page)}`;
}
