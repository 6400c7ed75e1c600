/** What rooms call for: which of the profiles, if any, serves a room. */

/** A named set of choices about the rooms that it serves. */
export interface Profile {
  readonly name: string;
  /** What runs: an agent file (process driver). */
  readonly template: string;
  /** Cores. */
  readonly cpu: number;
  readonly memoryMiB: number;
  /** File of variables for the agent. */
  readonly envFile?: string;
  /** Launches after the first, per run. */
  readonly retries: number;
  /** Accepted but not running for this long: stopped, failed. */
  readonly startDeadlineMs: number;
  /** Running but never in the room for this long: stopped, failed. */
  readonly joinDeadlineMs: number;
  readonly maxLifetimeMs: number;
  /** SIGTERM to SIGKILL. */
  readonly shutdownTimeoutMs: number;
}
