/**
 * When each container of a deployment was made, began and ended, by the engine's own events: exact,
 * where looks from time to time would miss a short overlap.
 */
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { delay, systemClock } from '../../launcher/lib/clock.ts';
import { docker } from '../support/docker-engine.ts';

/** The engine may be away for a while: its events are asked for again from where they broke off. */
const REOPEN_MS = 100;

export interface Life {
  readonly key: string;
  readonly sid: string;
  readonly createdMs: number;
  startedMs: number | null;
  endedMs: number | null;
}

const eventShape = z.object({
  Action: z.string(),
  timeNano: z.number(),
  Actor: z.object({ ID: z.string(), Attributes: z.record(z.string(), z.string()) }),
});

export class Lives implements AsyncDisposable {
  readonly #deployment: string;
  readonly #byId = new Map<string, Life>();
  readonly #over = new AbortController();
  #stream: Readable | undefined;
  #readToSeconds = Math.floor(Date.now() / 1000);
  #reading: Promise<void> = Promise.resolve();

  private constructor(deployment: string) {
    this.#deployment = deployment;
  }

  /** Resolves once it hears of everything that happens from now on. */
  static async watch(deployment: string): Promise<Lives> {
    const lives = new Lives(deployment);
    await lives.#open();
    lives.#reading = lives.#follow();
    return lives;
  }

  all(): Life[] {
    return [...this.#byId.values()];
  }

  /** The life of a task that has begun and not ended. */
  running(key: string): Life | undefined {
    return this.all().find((life) => life.key === key && isRunning(life));
  }

  /** How long two containers of one room ran at the same time, the longest. */
  longestOverlapMs(nowMs: number): number {
    const all = this.all();
    const overlaps = all.flatMap((one, i) =>
      all
        .slice(i + 1)
        .filter((other) => other.sid === one.sid)
        .map((other) => overlapMs(one, other, nowMs)),
    );
    return Math.max(0, ...overlaps);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#stream?.destroy();
    await this.#reading;
  }

  async #open(): Promise<void> {
    const filters = JSON.stringify({
      type: ['container'],
      event: ['create', 'start', 'die'],
      label: [`room-launcher.deployment=${this.#deployment}`],
    });
    const stream = await docker.getEvents({ since: this.#readToSeconds, filters });
    this.#stream = stream as Readable;
  }

  async #follow(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#read().catch(() => {});
      await delay(systemClock, REOPEN_MS, this.#over.signal);
      if (!this.#over.signal.aborted) await this.#open().catch(() => {});
    }
    this.#stream?.destroy();
  }

  async #read(): Promise<void> {
    let rest = '';
    for await (const chunk of this.#stream ?? []) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(eventShape.parse(JSON.parse(line)));
    }
  }

  /** Repeats, after the stream was opened anew, change nothing. */
  #take({ Action, timeNano, Actor }: z.infer<typeof eventShape>): void {
    const atMs = timeNano / 1e6;
    this.#readToSeconds = Math.floor(atMs / 1000);
    const key = Actor.Attributes['room-launcher.key'] ?? '';
    const sid = Actor.Attributes['room-launcher.room'] ?? '';
    const life = this.#byId.get(Actor.ID) ?? {
      key,
      sid,
      createdMs: atMs,
      startedMs: null,
      endedMs: null,
    };
    this.#byId.set(Actor.ID, life);
    if (Action === 'start') life.startedMs ??= atMs;
    if (Action === 'die') life.endedMs ??= atMs;
  }
}

export function isRunning({ startedMs, endedMs }: Life): boolean {
  return startedMs !== null && endedMs === null;
}

function overlapMs(one: Life, other: Life, nowMs: number): number {
  if (one.startedMs === null || other.startedMs === null) return 0;
  const ends = [one.endedMs ?? nowMs, other.endedMs ?? nowMs];
  return Math.min(...ends) - Math.max(one.startedMs, other.startedMs);
}
