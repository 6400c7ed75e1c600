/**
 * How a task can end, and the exit code by which the launcher reads it. The code is all that
 * survives the process, so every end has exactly one, decided here.
 */

export const EXIT = {
  /** The job is done: ended by its agent, its room, its removal or the launcher. */
  served: 0,
  /** The agent's own code failed. */
  agentFailed: 1,
  /** Agent file or environment cannot work; another try would not help. */
  badStart: 64,
  /** Could not get, join or keep the room; another try may. */
  unreachable: 75,
  /** A newer participant took this agent's identity. */
  displaced: 76,
  /** SIGTERM before anything else had ended the job. */
  sigterm: 143,
} as const;

export interface End {
  readonly code: (typeof EXIT)[keyof typeof EXIT];
  /** For the log: no room name, no identity, no text of the user's. */
  readonly reason: string;
}

/** The one end of this process: the first reason wins, what comes later changes nothing. */
export class Ending {
  readonly reached: Promise<End>;
  #end: End | null = null;
  #settle: (end: End) => void = () => {};

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** False when the end was already decided. */
  end(end: End): boolean {
    if (this.#end) return false;
    this.#end = end;
    this.#settle(end);
    return true;
  }

  get decided(): boolean {
    return this.#end !== null;
  }
}
