/**
 * The one seam between the launcher and an engine (Docker, ECS, a directory of processes, memory).
 *
 * A driver translates; it does not decide. It keeps no record of its own (what it has seen
 * of the engine holds for as long as each list confirms it), does not retry, reads no
 * clock and starts nothing that it was not asked for. Deciding is `core/plan.ts`, remembering is
 * the engine, bridging an engine's lagging list is `core/expectations.ts`.
 *
 * One task, as callers may rely on it; any middle phase can pass unseen:
 *
 *     launch ──accepted──▶ starting ─▶ running ─▶ stopping ─▶ ended ──remove──▶ (not listed)
 *
 * For every verb:
 * - Concurrent calls are safe: for one task and for many, also from several launcher processes.
 * - It settles soon after `signal` aborts; the engine may still carry the request out.
 * - It touches tasks of its own deployment only: others are never listed, stopped or removed.
 * - `launch` reports what the engine decided as a value. The other verbs reject with `DriverError`.
 *
 * `test/contract/driver.contract.ts` is this comment in executable form: change both or neither.
 */
export interface Driver extends AsyncDisposable {
  /** What callers plan with. They never ask which engine this is. */
  readonly traits: DriverTraits;

  /**
   * Asks for one task and resolves as soon as the engine has promised it, not when it runs.
   *
   * Idempotent by `request.key`, across processes and restarts: a key yields at most one task,
   * ever. A repeat is `accepted` with that same task, even one that has ended meanwhile, even if
   * the repeat's other fields differ (it may be `unknown` then while lists lag); it also finishes what
   * a crash left half done (a task that was created and never started is started). The promise holds
   * for `traits.keyLifetimeMs` after the first launch, and at most until `remove`.
   *
   * `unknown` means that the answer was lost: the task may exist. An aborted `signal` reads as
   * `unknown` unless the engine had surely not been asked. Rejects only for a caller's bug (a key
   * that is none).
   */
  launch(request: LaunchRequest, signal: AbortSignal): Promise<LaunchResult>;

  /**
   * Everything of this deployment that the engine knows: live and ended tasks, those of earlier or
   * other launcher processes, and damaged ones (key null). All of it or a rejection: a shortened
   * list would read as "these tasks are gone", and cost calls.
   *
   * Eventually consistent within `traits.listLagMs`: absence proves an end only for a list begun
   * later than that after acceptance. An engine state that this version does not know counts as
   * `running`, so that it never doubles a launch.
   */
  list(signal: AbortSignal): Promise<readonly ObservedTask[]>;

  /**
   * Asks one task to end: SIGTERM now, SIGKILL after `graceMs` (as `traits.grace` allows; 0 is
   * SIGKILL at once where the engine can). `accepted` once the engine has taken the request; the
   * end itself shows in `list`. `nothing-to-stop` for an ended or unknown task, so that a repeat is
   * harmless and a stop that did nothing is visible. Takes the engine's id, so that it can never
   * hit a later attempt.
   */
  stop(taskId: TaskId, options: StopOptions, signal: AbortSignal): Promise<StopResult>;

  /**
   * Frees what the engine keeps of an ended task; called after its verdict was recorded. An unknown
   * task resolves. A live one is left alone and the call rejects with `conflict`. Engines that
   * forget by themselves (`traits.removes` false) resolve and may go on listing it.
   */
  remove(taskId: TaskId, signal: AbortSignal): Promise<void>;

  /**
   * Optional. Sees ahead to what such launches will need (images are fetched, task definitions looked
   * at); resolves when each is there or cannot be had, which the log says. Rejects when the engine
   * does not answer.
   */
  prepare?(launches: readonly Preparation[], signal: AbortSignal): Promise<void>;

  /**
   * Optional. What these tasks have used so far and hold now, for people who look: nothing is
   * decided by it. Tasks that do not run, that the engine does not know, or that are another
   * deployment's are left out; so may be one that ends meanwhile.
   */
  usage?(taskIds: readonly TaskId[], signal: AbortSignal): Promise<readonly TaskUsage[]>;

  /**
   * Optional. What a task has written to its standard output and its standard error, as text: the
   * last `tail` lines, then, with `follow`, what comes, until the task ends. An ended task has its
   * output until it is removed. Null for an unknown task. Rejects with `invalid` where it is kept
   * elsewhere; the message then says where.
   *
   * What nobody reads yet waits in the engine, not in memory. Aborting `signal` ends the output; a
   * fault of the engine in the middle of it throws `DriverError`.
   */
  logs?(taskId: TaskId, options: LogsOptions, signal: AbortSignal): Promise<Output | null>;

  /**
   * Optional. Calls `nudge` when the engine hints at a change. A hint carries no data and may be
   * lost, late or doubled: a launcher without hints is slower, not wrong.
   */
  watch?(nudge: () => void): AsyncDisposable;
}

/** `r-<room sid>-<attempt>` or `s-<profile>-<slot>-<n>`: made and read in `core/key.ts`. */
export type TaskKey = string & { readonly __brand: 'TaskKey' };
/** The engine's own id of a task. Never reused, never parsed. */
export type TaskId = string & { readonly __brand: 'TaskId' };

/** Whether a text has the form of a task key; drivers use it to tell damaged tasks. */
export function isTaskKey(text: string): text is TaskKey {
  return /^(?:r-[A-Za-z0-9_]{1,30}-[1-9][0-9]{0,5}|s-[a-z0-9-]{1,24}-[0-9]{1,3}-[0-9]{8})$/.test(
    text,
  );
}

/** `<deployment>.<key>`: container name, ECS client token, folder name. At most 64 characters. */
export function engineName(deployment: string, key: TaskKey): string {
  return `${deployment}.${key}`;
}

export interface LaunchRequest {
  readonly key: TaskKey;
  /** What runs: an image (Docker), a task definition (ECS), an agent file (process). */
  readonly template: string;
  /** Cores. */
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Name of the profile, for people (a label where the engine has labels). */
  readonly profile: string;
  /**
   * Visible to whoever may inspect a task: nothing secret beyond the task's own gateway credential,
   * and the same bytes for one key.
   */
  readonly env: Readonly<Record<string, string>>;
  /** File of further variables (the agent's own secrets), read by the driver at launch. */
  readonly envFile?: string;
  /** How the task is kept apart from its machine. Callers give none to an engine that cannot. */
  readonly options?: TaskOptions;
}

/** What a driver must know of launches to come. */
export type Preparation = Pick<LaunchRequest, 'template' | 'options'>;

export interface TaskOptions {
  /** Runs as this user instead of the image's: `name`, `uid` or `uid:gid`. */
  readonly user?: string;
  /** Is the root file system read-only? Without it, yes. */
  readonly readOnly?: boolean;
  /** Memory file systems by path, with mount options, beside the one that every task has. */
  readonly tmpfs?: Readonly<Record<string, string>>;
  /** OCI runtime by name, for example `runsc`; without it the engine's own. */
  readonly runtime?: string;
}

export type LaunchResult =
  /** The engine has promised the task. An adopted one may already have ended: read its phase. */
  | { readonly outcome: 'accepted'; readonly task: ObservedTask }
  /** No task of this key; but after `throttled` or `denied` an earlier call may have brought one. */
  | {
      readonly outcome: 'refused';
      readonly reason: RefusalReason;
      readonly retry: Retry;
      readonly detail: string;
    }
  /** A task may exist: repeat the same key or find it in `list`; a new key could double it. */
  | { readonly outcome: 'unknown'; readonly detail: string };

/**
 * `pulling`: the engine fetches the image meanwhile. That is nobody's failure, and counts towards no
 * deadline of the launch; a repeat finds it there, or learns why not (`image`).
 */
export type RefusalReason =
  'capacity' | 'quota' | 'throttled' | 'pulling' | 'image' | 'denied' | 'invalid';
/** `next-key`: the engine replays a failure per key, so the attempt must be raised. */
export type Retry = 'same-key' | 'next-key' | 'never';
export type Phase = 'starting' | 'running' | 'stopping' | 'ended';

export interface ObservedTask {
  readonly taskId: TaskId;
  /** Null when it cannot be read: such a task counts against limits and is never touched. */
  readonly key: TaskKey | null;
  readonly phase: Phase;
  readonly template: string;
  /** Does it run our runner, whose exit codes can be read? Null: the engine cannot tell. */
  readonly runner: boolean | null;
  /** By the engine's clock, Unix time; so are the other times. */
  readonly createdAtMs: number;
  readonly startedAtMs?: number;
  readonly endedAtMs?: number;
  /** Only when `ended`. */
  readonly exit?: Exit;
}

export interface Exit {
  /** Null when the engine lost it, which is not success. A signal reads as 128 + its number. */
  readonly code: number | null;
  readonly oomKilled: boolean;
  /** One line for people; may be empty. */
  readonly detail: string;
  /** The reason that a `stop` gave for this end, from engines that keep it. */
  readonly stopReason?: string;
}

export interface TaskUsage {
  readonly taskId: TaskId;
  /** Processor time since its start, of all its processes; never falls while it runs. */
  readonly cpuSeconds: number;
  /** Memory that it holds now, without caches that the system takes back at will. */
  readonly memoryBytes: number;
}

export interface DriverTraits {
  /** For logs and metrics only. */
  readonly name: string;
  readonly listLagMs: number;
  readonly keyLifetimeMs: number;
  readonly endedRetentionMs: number;
  /** False where the engine forgets ended tasks by itself and `remove` frees nothing. */
  readonly removes: boolean;
  readonly grace: { readonly maxMs: number } | { readonly fixed: number };
  /** How many launches are quickest: more at once, or sooner, would only wait for one another. */
  readonly launches: LaunchPace;
}

export interface LaunchPace {
  /** Launches at once, each until its task has registered. */
  readonly inFlight: number;
  readonly perSecond: number;
}

export interface StopOptions {
  readonly graceMs: number;
  /** One line, kept by engines that can. */
  readonly reason: string;
}
export type StopResult = 'accepted' | 'nothing-to-stop';

export interface LogsOptions {
  /** Lines, counted from the newest. */
  readonly tail: number;
  /** Go on with what comes. */
  readonly follow: boolean;
}
/** Text in pieces, cut anywhere. */
export type Output = AsyncIterable<string>;

/** `unavailable` and `throttled` are worth repeating. `cause` is the engine's own error. */
export class DriverError extends Error {
  override readonly name = 'DriverError';
  readonly kind: 'unavailable' | 'throttled' | 'denied' | 'conflict' | 'invalid';
  constructor(kind: DriverError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}
