/**
 * Whether the launchers' events tell what happened: each container that ran has its launch, each
 * that ended has its end, with a verdict and the reason.
 */
import { type LogRecord, parseRecord } from '../../launcher/dev/launcher-log.ts';
import type { TestLauncher } from '../support/launcher.ts';
import type { Life } from './lives.ts';

/** A launcher that is killed within this time of a launch could not tell of it any more. */
const UNTOLD_LAUNCH_MS = 3_000;

export class Story {
  readonly #launched = new Set<string>();
  readonly #ended = new Set<string>();
  readonly #readTo = new Map<TestLauncher, number>();
  readonly #killedMs: number[] = [];

  /** A launcher was killed just now. */
  killed(): void {
    this.#killedMs.push(Date.now());
  }

  /** What the events so far leave untold, in words. */
  untold(launchers: readonly TestLauncher[], lives: readonly Life[]): string[] {
    for (const launcher of launchers) for (const record of this.#news(launcher)) this.#take(record);
    return lives.flatMap((life) => {
      const { key, startedMs, endedMs } = life;
      const launch = this.#launched.has(key) || this.#wasCutShort(life);
      return [
        ...(startedMs === null || launch ? [] : [`no task.launch of ${key}`]),
        ...(endedMs === null || this.#ended.has(key) ? [] : [`no task.end of ${key}`]),
      ];
    });
  }

  /** Lines that were not read yet. */
  #news(launcher: TestLauncher): LogRecord[] {
    const text = launcher.output();
    const from = this.#readTo.get(launcher) ?? 0;
    const to = text.lastIndexOf('\n') + 1;
    this.#readTo.set(launcher, to);
    const lines = text.slice(from, to).split('\n');
    return lines.flatMap((line) => parseRecord(line) ?? []);
  }

  #take({ event, fields }: LogRecord): void {
    const { task, outcome, verdict, reason } = fields;
    if (typeof task !== 'string') return;
    if (event === 'task.launch' && outcome === 'accepted') this.#launched.add(task);
    if (event === 'task.end' && verdict && reason) this.#ended.add(task);
  }

  #wasCutShort({ createdMs }: Life): boolean {
    return this.#killedMs.some(
      (atMs) => createdMs <= atMs + UNTOLD_LAUNCH_MS / 10 && atMs - createdMs < UNTOLD_LAUNCH_MS,
    );
  }
}
