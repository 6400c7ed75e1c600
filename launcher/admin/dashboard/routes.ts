/**
 * The dashboard's routes: its pages, their live lines, its own two files, and the stop of a room.
 *
 * Everything comes from here, nothing from elsewhere, and the pages say so to the browser (CSP): a
 * room's name that were taken for HTML could still run nothing and send nothing away. Who may ask at
 * all is `guard.ts`' to decide.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Context, Hono } from 'hono';
import { withAny } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { AdminHost } from '../ports.ts';
import type { Board } from './board.ts';
import { Live } from './live.ts';
import { overviewHtml } from './overview.tsx';
import { OverviewBoard, sidOf } from './overview-board.tsx';
import { SCRIPT_FILE, STYLE_FILE } from './page.tsx';
import { RoomBoard, roomPageHtml } from './room-page.tsx';
import { STYLE } from './styles/index.ts';
import { UsageSampler } from './usage.ts';

const FILES: readonly string[] = [STYLE_FILE, SCRIPT_FILE, 'tables.js', 'log.js'];
/** Browsers that are kept up to date at once. */
const VIEWERS_MAX = 64;
/** One and the same, so that pages see that nothing has changed. */
const NO_USAGE: Board['usage'] = {};
export interface DashboardParts {
  readonly host: AdminHost;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the listener closes. */
  readonly closing: AbortSignal;
}

/** The routes alone; they do nothing while nobody looks. */
export function dashboardRoutes(parts: DashboardParts): Hono {
  const { host } = parts;
  const files = new Map(FILES.map((name) => [name, fileOf(name)]));
  const version = versionOf([...files.values()]);
  const lines = new Lines(parts, version);
  const about = () => host.dashboard.about();
  const app = new Hono();
  app.get('/', (c) => c.html(overviewHtml(lines.overview(), about(), version)));
  app.get('/dashboard/live', (c) => lines.open(c, '/', () => lines.overview()));
  app.get('/rooms/:sid', (c) => {
    const sid = c.req.param('sid');
    const board = new RoomBoard(host, sid).board(lines.usage);
    if (board === null) return c.text('Nothing is known of this room, or not any more.\n', 404);
    return c.html(roomPageHtml(sid, board, about(), version));
  });
  app.get('/rooms/:sid/live', (c) => {
    const sid = c.req.param('sid');
    const room = new RoomBoard(host, sid);
    return lines.open(c, sid, () => room.board(lines.usage), sid);
  });
  app.post('/rooms/:sid/stop', async (c) => {
    const room = host.rooms().find(({ sid }) => sid === c.req.param('sid'));
    const answer = room ? await host.stopRoom(room.sid) : 'unknown';
    if (answer === 'accepted') return c.json({ answer }, 202);
    if (answer === 'unknown') return c.json({ error: 'this room is over' }, 404);
    return c.json({ error: 'this room has nothing that runs' }, 409);
  });
  app.get('/dashboard/:version/:file', (c) => {
    const text = files.get(c.req.param('file'));
    if (text === undefined || c.req.param('version') !== version) return c.notFound();
    const type = c.req.param('file').endsWith('.css') ? 'text/css' : 'text/javascript';
    c.header('Cache-Control', 'max-age=31536000, immutable');
    return c.body(text, 200, { 'Content-Type': `${type}; charset=utf-8` });
  });
  return app;
}

function fileOf(name: string): string {
  if (name === STYLE_FILE) return STYLE;
  return readFileSync(new URL(`browser/${name}`, import.meta.url), 'utf8');
}

/** Part of the files' paths, so that no browser mixes those of two versions. */
function versionOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text);
  return hash.digest('hex').slice(0, 12);
}

/** The live lines of all pages, and what they share. */
class Lines {
  readonly #parts: DashboardParts;
  readonly #version: string;
  readonly #overview: OverviewBoard;
  #sampler: UsageSampler | undefined;
  /** By page. */
  readonly #lives = new Map<string, Live>();
  readonly #looked = new Set<() => void>();
  #viewers = 0;
  #sampling = new AbortController();

  constructor(parts: DashboardParts, version: string) {
    this.#parts = parts;
    this.#version = version;
    this.#overview = new OverviewBoard(parts.host, () => parts.clock.nowMs());
  }

  get usage(): Board['usage'] {
    return this.#sampler?.words ?? NO_USAGE;
  }

  overview(): Board {
    return this.#overview.board(this.usage);
  }

  /** Answers with the live line of a page; `sid`: only events about this room change it. */
  open(c: Context, page: string, board: () => Board | null, sid?: string): Response {
    if (this.#viewers >= VIEWERS_MAX) {
      const error = `${VIEWERS_MAX} pages are open already; close one`;
      return c.json({ error }, 503, { 'Retry-After': '10' });
    }
    let live = this.#lives.get(page);
    if (!live) this.#lives.set(page, (live = this.#live(board, sid)));
    this.#viewers += 1;
    if (this.#viewers === 1) this.#sample();
    return live.stream(c, () => {
      this.#viewers -= 1;
      if (this.#viewers === 0) this.#sampling.abort();
      if (!live.watched) this.#lives.delete(page);
    });
  }

  #live(board: () => Board | null, sid: string | undefined): Live {
    const { host, clock, log, closing } = this.#parts;
    const subscribe = (changed: () => void) => {
      this.#looked.add(changed);
      const unsubscribe = host.events.subscribe((event) => {
        if (sid === undefined || sidOf(event) === sid) changed();
      });
      return () => {
        unsubscribe();
        this.#looked.delete(changed);
      };
    };
    return new Live({ board, subscribe, clock, log, closing, version: this.#version });
  }

  /** Looks at what tasks use for as long as somebody looks at it. */
  #sample(): void {
    const { host, clock, log } = this.#parts;
    const look = host.dashboard.usage;
    if (look === undefined) return;
    this.#sampler ??= new UsageSampler({ look, tasks: () => host.tasks(), clock, log });
    this.#sampling = new AbortController();
    const sampler = this.#sampler;
    const looked = () => this.#looked.forEach((changed) => changed());
    void withAny([this.#sampling.signal, this.#parts.closing], (end) => sampler.run(looked, end));
  }
}
