/** One line on standard error that says what is being waited for: rewritten on a terminal. */
import type { Clock } from '../lib/clock.ts';

export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Progress {
  /** Shows `text`; elsewhere than on a terminal at most once a second. */
  show(text: string): void;
  /** Removes the line, so that other output can follow. */
  clear(): void;
}

const REWIND = '\r\u001B[2K';

/** Shortest time between two lines where lines cannot be rewritten. */
const QUIET_MS = 1_000;

export function createProgress(terminal: Terminal, clock: Clock): Progress {
  let shown = '';
  let shownAtMs = -Infinity;
  return {
    show(text) {
      if (text === shown) return;
      if (!terminal.isTTY && clock.nowMs() - shownAtMs < QUIET_MS) return;
      shown = text;
      shownAtMs = clock.nowMs();
      terminal.write(terminal.isTTY ? `${REWIND}${text}` : `${text}\n`);
    },
    clear() {
      if (terminal.isTTY && shown !== '') terminal.write(REWIND);
      shown = '';
    },
  };
}

/** Says what several rooms wait for: the step that most are behind at, and how many. */
export function waitingFor(steps: ReadonlyMap<string, string>): string {
  const counts = new Map<string, number>();
  for (const step of steps.values()) counts.set(step, (counts.get(step) ?? 0) + 1);
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a);
  if (!most) return '';
  const [step, count] = most;
  return steps.size === 1
    ? `waiting for ${step}`
    : `waiting for ${step}: ${count} of ${steps.size} rooms`;
}
