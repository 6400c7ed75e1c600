/**
 * The runner's own lines: one JSON object each on standard output, in the shape of agents-js' pino
 * lines, so that both read as one log. Never a token, a secret, a room name or an identity; what
 * the agent's code throws is its own text and is shown as it is.
 */

type Fields = Readonly<Record<string, string | number | null | undefined>>;

export interface RunnerLog {
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

const LEVEL = { info: 30, warn: 40, error: 50 } as const;

/** Writes each line by `write`, which is handed the line with its end. */
export function createLog(write: (line: string) => void, nowMs: () => number): RunnerLog {
  const at = (level: keyof typeof LEVEL) => (message: string, fields?: Fields) => {
    write(`${JSON.stringify({ level: LEVEL[level], time: nowMs(), msg: message, ...fields })}\n`);
  };
  return { info: at('info'), warn: at('warn'), error: at('error') };
}

/** What was thrown, as a field: its stack where there is one. */
export function thrown(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: String(error) };
  const cause = error.cause instanceof Error ? { cause: error.cause.stack } : {};
  return { error: error.message, stack: error.stack, ...cause };
}

/** The start-up split: when each step was first reached, in ms since the process began. */
export class Timeline {
  readonly #steps = new Map<string, number>();

  mark(step: 'imported' | 'prewarmed' | 'registered' | 'assigned' | 'connected' | 'ending'): void {
    if (!this.#steps.has(step)) this.#steps.set(step, Math.round(performance.now()));
  }

  /** `t_<step>_ms` for each step that was reached. */
  fields(): Record<string, number> {
    return Object.fromEntries([...this.#steps].map(([step, ms]) => [`t_${step}_ms`, ms]));
  }
}
