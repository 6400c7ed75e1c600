/** One line on standard error that says what is being waited for: rewritten on a terminal. */

export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Progress {
  /** Shows `text`; elsewhere than on a terminal only when it is new. */
  show(text: string): void;
  /** Removes the line, so that other output can follow. */
  clear(): void;
}

const REWIND = '\r\u001B[2K';

export function createProgress(terminal: Terminal): Progress {
  let shown = '';
  return {
    show(text) {
      if (text === shown) return;
      shown = text;
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
