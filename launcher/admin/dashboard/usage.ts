/**
 * What tasks use now, for as long as somebody looks: the engine counts processor time from a task's
 * start, and two looks make a share of a core.
 *
 * An engine with many tasks takes a while to count: it is left alone for at least four times as long
 * as the last look took, so that looking costs it a fifth of its time at most.
 */
import { within } from '../../lib/abort.ts';
import { type Clock, delay } from '../../lib/clock.ts';
import { type Log, reasonOf } from '../../lib/log.ts';
import type { DashboardSource, TaskRow, Usage } from '../ports.ts';
import type { Board } from './board.ts';
import { memoryOf, shareOf } from './words.ts';

const EVERY_MS = 3_000;
const REST = 4;
const LOOK_TIMEOUT_MS = 30_000;
/** What was seen longer ago is nobody's use of now. */
const STALE_MS = 15_000;

export interface UsageParts {
  readonly look: NonNullable<DashboardSource['usage']>;
  readonly tasks: () => readonly TaskRow[];
  readonly clock: Clock;
  readonly log: Log;
}

export class UsageSampler {
  readonly #parts: UsageParts;
  #lookedAtMs = -Infinity;
  #before = new Map<string, Usage & { readonly atMs: number }>();
  /** The newest of each task, in words, by key. Another object after each look. */
  words: Board['usage'] = {};

  constructor(parts: UsageParts) {
    this.#parts = parts;
  }

  /** Looks again and again until the signal aborts; `looked` is called after each look. */
  async run(looked: () => void, end: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    if (clock.nowMs() - this.#lookedAtMs > STALE_MS) {
      this.#before.clear();
      this.words = {};
    }
    while (!end.aborted) {
      const startedAtMs = clock.nowMs();
      try {
        await within(clock, LOOK_TIMEOUT_MS, (late) => this.#lookUntil(end, late));
      } catch (error) {
        if (end.aborted) return;
        this.words = {};
        log.debug('what tasks use could not be read', { reason: reasonOf(error) });
      }
      looked();
      const tookMs = clock.nowMs() - startedAtMs;
      await delay(clock, Math.max(EVERY_MS, REST * tookMs), end);
    }
  }

  /** Leaves nothing at `end`, which can live for days. */
  async #lookUntil(end: AbortSignal, late: AbortSignal): Promise<void> {
    const over = new AbortController();
    const stop = () => over.abort();
    const signals = [end, late];
    for (const signal of signals) signal.addEventListener('abort', stop, { once: true });
    try {
      await this.#look(over.signal);
    } finally {
      for (const signal of signals) signal.removeEventListener('abort', stop);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const { look, tasks, clock } = this.#parts;
    const running = tasks().filter(({ key, phase }) => key !== null && phase !== 'ended');
    const found = await look(
      running.map(({ taskId }) => taskId),
      signal,
    );
    const atMs = clock.nowMs();
    this.#lookedAtMs = atMs;
    const byId = new Map(found.map((usage) => [usage.taskId, { ...usage, atMs }]));
    const words = running.flatMap(({ key, taskId }) => {
      const now = byId.get(taskId);
      if (key === null || now === undefined) return [];
      return [[key, [coresOf(this.#before.get(taskId), now), memoryOf(now.memoryBytes)]] as const];
    });
    this.#before = byId;
    this.words = Object.fromEntries(words);
  }
}

/** Empty at the first look. */
function coresOf(
  before: (Usage & { readonly atMs: number }) | undefined,
  now: Usage & { readonly atMs: number },
): string {
  if (before === undefined || now.atMs <= before.atMs) return '';
  const used = now.cpuSeconds - before.cpuSeconds;
  return shareOf(Math.max(0, used / ((now.atMs - before.atMs) / 1_000)));
}
