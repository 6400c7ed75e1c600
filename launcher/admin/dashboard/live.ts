/**
 * Keeps browsers up to date with one page: server-sent events, each a patch from what they have to
 * what there is.
 *
 * Events of the launcher only say that something changed. However many there are, the page is made
 * anew at most every COALESCE_MS, and never for more than a tenth of the time; and once for all who
 * look at it. While nobody looks, nothing is made. A browser that reads slowly skips patches and gets
 * the whole instead, so that nothing piles up.
 */
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { type Clock, delay } from '../../lib/clock.ts';
import { type Log, reasonOf } from '../../lib/log.ts';
import { endOf } from '../stream-end.ts';
import { type Board, EMPTY, type Patch, patchOf } from './board.ts';

/** Soon enough to feel at once, late enough to take a burst of events for one. */
const COALESCE_MS = 250;
/** The making of pages takes at most one part in so many of the time. */
const SHARE = 10;
/** What no event tells of: outages, what tasks use, the plots' time. */
const REFRESH_MS = 5_000;
/** Proxies and clients take a silent connection for a dead one. */
const HEARTBEAT_MS = 15_000;
/** How soon a browser that was cut off comes back. */
const RETRY_MS = 1_000;
/** Patches that may wait for one browser. */
const WAITING_MAX = 8;

export interface LiveParts {
  /** Null: there is nothing to show any more; what was shown stays. */
  readonly board: () => Board | null;
  /** Calls back when something may have changed; the returned function ends it. */
  readonly subscribe: (changed: () => void) => () => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the listener closes. */
  readonly closing: AbortSignal;
  /** Tells one version of the page's own files from another: a browser loads itself anew. */
  readonly version: string;
}

/** One browser. */
class Viewer {
  #waiting: Uint8Array[] = [];
  #behind = true;
  #news = new AbortController();

  tell(message: Uint8Array): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(message);
    else this.#behind = true;
    this.#news.abort();
  }

  /** What it is to get next; `whole` makes all there is. */
  next(whole: () => Uint8Array): Uint8Array | undefined {
    if (!this.#behind) return this.#waiting.shift();
    this.#behind = false;
    this.#waiting = [];
    return whole();
  }

  /** Resolves with whether there is something for it; false after a silent while, or at its end. */
  async waits(clock: Clock, end: AbortSignal): Promise<boolean> {
    this.#news = new AbortController();
    const { signal } = this.#news;
    await delay(clock, HEARTBEAT_MS, signal, end);
    return signal.aborted;
  }
}

export class Live {
  readonly #parts: LiveParts;
  readonly #viewers = new Set<Viewer>();
  #board: Board = EMPTY;
  #news = new AbortController();
  #running = false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  /** Does anybody look? */
  get watched(): boolean {
    return this.#viewers.size > 0;
  }

  /** Answers with the stream. `ended` is called when the browser has gone. */
  stream(c: Context, ended: () => void): Response {
    const { clock, closing } = this.#parts;
    return streamSSE(c, async (stream) => {
      const viewer = new Viewer();
      const end = endOf(stream, closing);
      this.#viewers.add(viewer);
      void this.#run();
      try {
        await stream.write(`retry: ${RETRY_MS}\n\n`);
        while (!end.signal.aborted) {
          const message = viewer.next(() => this.#message('whole', patchOf(EMPTY, this.#board)));
          // Resolves once the browser has room for more.
          if (message) await stream.write(message);
          else if (!(await viewer.waits(clock, end.signal)) && !end.signal.aborted) {
            await stream.write(': still here\n\n');
          }
        }
      } finally {
        end.release();
        this.#viewers.delete(viewer);
        this.#news.abort();
        ended();
      }
    });
  }

  /** Makes the page anew for as long as somebody looks. */
  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const { clock, closing, subscribe } = this.#parts;
    const unsubscribe = subscribe(() => this.#news.abort());
    while (this.watched && !closing.aborted) {
      this.#news = new AbortController();
      const startedAtMs = clock.nowMs();
      this.#publish();
      const tookMs = clock.nowMs() - startedAtMs;
      await delay(clock, Math.max(COALESCE_MS, (SHARE - 1) * tookMs), closing);
      await delay(clock, REFRESH_MS, this.#news.signal, closing);
    }
    unsubscribe();
    this.#running = false;
    this.#board = EMPTY;
  }

  /** A page that cannot be made stays as it was: whoever looks must not stop the launcher. */
  #publish(): void {
    const before = this.#board;
    try {
      this.#board = this.#parts.board() ?? before;
      const patch = patchOf(before, this.#board);
      if (patch === null) return;
      const message = this.#message('patch', patch);
      for (const viewer of this.#viewers) viewer.tell(message);
      if (this.#board.behind) this.#news.abort();
    } catch (error) {
      this.#parts.log.error('the dashboard could not be made anew', { reason: reasonOf(error) });
    }
  }

  #message(kind: 'whole' | 'patch', patch: Patch | null): Uint8Array {
    const { clock, version } = this.#parts;
    const data = JSON.stringify({ ...patch, nowMs: clock.nowMs(), version });
    return new TextEncoder().encode(`event: ${kind}\ndata: ${data}\n\n`);
  }
}
