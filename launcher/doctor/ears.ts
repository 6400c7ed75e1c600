/**
 * What a launcher hears and does, as it happens: told by the one that runs, or, without one, heard
 * by the doctor itself at LAUNCHER_WEBHOOK_LISTEN for a moment. Both tell the same wide events.
 */
import { TASK_ATTRIBUTE } from '../core/room.ts';
import { delay, systemClock } from '../lib/clock.ts';
import type { ListenAddress } from '../lib/listen.ts';
import { type Fields, type Log, reasonOf } from '../lib/log.ts';
import { createWebhookListener } from '../webhook/listener.ts';
import type { WebhookKey } from '../webhook/verify.ts';
import type { LauncherApi, LauncherEvent } from './launcher-api.ts';

const POLL_MS = 50;
/** A busy launcher's last minutes. */
const EVENTS_MAX = 20_000;

const silent = () => {};

export class Ears {
  /** Fills up as something is heard. */
  readonly #events: readonly LauncherEvent[];
  readonly #close: () => Promise<void>;
  /** Why nothing more is heard. */
  readonly #deaf: { reason?: unknown };

  private constructor(
    events: readonly LauncherEvent[],
    close: () => Promise<void>,
    deaf: { reason?: unknown } = {},
  ) {
    this.#events = events;
    this.#close = close;
    this.#deaf = deaf;
  }

  /** Listens to a launcher; should it end, waits reject. */
  static ofLauncher(launcher: LauncherApi): Ears {
    const events: LauncherEvent[] = [];
    const deaf: { reason?: unknown } = {};
    const end = new AbortController();
    const heard = (async () => {
      for await (const event of launcher.events(end.signal)) {
        events.push(event);
        if (events.length > EVENTS_MAX) events.shift();
      }
      throw new Error('it ended');
    })().catch((reason: unknown) => (deaf.reason = reason));
    const close = async () => {
      end.abort();
      await heard;
    };
    return new Ears(events, close, deaf);
  }

  /** Rejects with `ListenError`. */
  static async own(listen: ListenAddress, keys: readonly WebhookKey[]): Promise<Ears> {
    const heard: LauncherEvent[] = [];
    const listener = await createWebhookListener({
      listen,
      keys,
      taskAttribute: TASK_ATTRIBUTE,
      clock: systemClock,
      log: telling((event) => heard.push(event)),
      nudge: silent,
      healthy: () => true,
    });
    return new Ears(heard, () => listener.close());
  }

  /** The first event that `wanted` accepts, those already heard included; null at `waitMs`. */
  async hear(
    wanted: (event: LauncherEvent) => boolean,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<LauncherEvent | null> {
    const untilMs = systemClock.nowMs() + waitMs;
    for (;;) {
      const found = this.#events.find(wanted);
      if (found !== undefined) return found;
      if (this.#deaf.reason !== undefined) {
        throw new Error(`the launcher's events broke off: ${reasonOf(this.#deaf.reason)}`);
      }
      if (systemClock.nowMs() > untilMs) return null;
      await delay(systemClock, POLL_MS, signal);
      signal.throwIfAborted();
    }
  }

  /** The newest event so far that `wanted` accepts. */
  last(wanted: (event: LauncherEvent) => boolean): LauncherEvent | null {
    return this.#events.findLast(wanted) ?? null;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/** A log of which only the wide events are heard. */
function telling(tell: (event: LauncherEvent) => unknown): Log {
  return {
    debug: silent,
    info: silent,
    warn: silent,
    error: silent,
    event(event, fields: Fields) {
      tell({ ...fields, event, time: new Date(systemClock.nowMs()).toISOString() });
    },
  };
}
