/**
 * Launches: asks the engine for a task when its turn has come, and notes what it answered.
 *
 * Nothing is decided here, and nothing is retried: what a launch brought is in memory, and the next
 * pass plans by it.
 */
import type { Action, LiveRoomView } from '../core/action.ts';
import type { Profile } from '../core/desired.ts';
import type { Expectations } from '../core/expectations.ts';
import { parseStandbyKey } from '../core/key.ts';
import type { LaunchLimits } from '../core/limits.ts';
import type { Memory } from '../core/memory.ts';
import type { PoolAction } from '../core/plan-pool.ts';
import type { RoomMemory } from '../core/remembered.ts';
import type { Driver, LaunchRequest, LaunchResult, RefusalReason, TaskKey } from '../driver.ts';
import { assert } from '../lib/assert.ts';
import { within } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { idOf } from './events.ts';

/** Both of LiveKit's agent frameworks take their agent's name from it. */
const AGENT_NAME = 'LIVEKIT_AGENT_NAME_OVERRIDE';
/** How long a launch may take; one that takes longer is `unknown` and is repeated. */
const CALL_TIMEOUT_MS = 60_000;
/** How soon a repeat for a listed task that failed is planned again. */
const TRY_AGAIN_MS = 5_000;
/** How often a standby's launch is repeated while the engine fetches its image. */
const PULLING_MS = 4_000;
/** Refusals by which nothing is known of an earlier launch of the same key. */
const UNASKED: ReadonlySet<RefusalReason> = new Set(['throttled', 'denied']);

export interface LaunchesParts {
  readonly driver: Driver;
  readonly memory: Memory;
  readonly expectations: Expectations;
  readonly limits: LaunchLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** What a task gets as its environment: the gateway's URL and its own credential. */
  readonly taskEnv: (key: TaskKey) => Readonly<Record<string, string>>;
  /** Called when a launch went out or is over: the next room may have its turn. */
  readonly turnFree: () => void;
}

type RoomLaunch = Extract<Action, { do: 'launch' }>;
export type StandbyLaunch = Extract<PoolAction, { do: 'launch-standby' }>;

/** What is told of a launch beside its result. */
interface Said {
  readonly reason: string;
  readonly profile: string;
  /** What went wrong the last time: a repeat of it is not said loudly. */
  readonly saidBefore: string | undefined;
}

export class Launches {
  readonly #parts: LaunchesParts;

  constructor(parts: LaunchesParts) {
    this.#parts = parts;
  }

  /**
   * Launches one attempt, if its turn has come; a room whose turn it is not waits in line. Resolves
   * with when to look at the room again, if the outcome asks it.
   */
  async ofRoom(action: RoomLaunch, { room, profile }: LiveRoomView): Promise<number | null> {
    const { limits, memory, clock, turnFree } = this.#parts;
    const known = memory.room(room.sid);
    const sentAtMs = clock.nowMs();
    const turn = limits.turn(room.sid, room.name, sentAtMs);
    if (!turn.go) {
      Object.assign(known, { state: 'waiting', reason: turn.reason });
      return turn.untilMs;
    }
    limits.sent(room.sid, room.name, sentAtMs);
    turnFree();
    const result = await this.#launch(action, profile, known.trouble?.detail);
    if (result.outcome !== 'accepted' && limits.settled(room.sid)) turnFree();
    return this.#note(action, known, result);
  }

  /** Launches a standby, if rooms leave it a turn. Resolves like `ofRoom`, for the warm pool. */
  async ofStandby(action: StandbyLaunch, profile: Profile): Promise<number | null> {
    const { expectations, limits, memory, clock } = this.#parts;
    const { key } = action;
    const sentAtMs = clock.nowMs();
    const turn = limits.turnOfStandby(sentAtMs);
    if (!turn.go) return turn.untilMs;
    limits.standbySent(key, sentAtMs);
    memory.standbys.noteMade(key);
    const known = memory.standbys.note(key);
    known.unanswered = false;
    const trouble = memory.standbys.trouble(profile.name, sentAtMs);
    const result = await this.#launch(action, profile, trouble?.reason);
    const atMs = clock.nowMs();
    if (result.outcome === 'accepted') return atMs;
    limits.standbySettled(key);
    known.unanswered = expectations.isUnknown(key);
    if (!known.unanswered) memory.standbys.forget(key);
    if (result.outcome === 'refused' && result.reason === 'pulling') return atMs + PULLING_MS;
    memory.standbys.noteFailure(profile.name, result.detail, atMs);
    return atMs;
  }

  async #launch(
    { key, reason }: RoomLaunch | StandbyLaunch,
    profile: Profile,
    saidBefore: string | undefined,
  ): Promise<LaunchResult> {
    const { expectations, driver, memory, clock } = this.#parts;
    const sentAtMs = clock.nowMs();
    expectations.sent(key);
    const request = this.#request(key, profile);
    const result = await within(clock, CALL_TIMEOUT_MS, (signal) => driver.launch(request, signal));
    const said = { reason, profile: profile.name, saidBefore };
    this.#say(key, said, result, sentAtMs);
    if (result.outcome === 'accepted') {
      const atMs = clock.nowMs();
      expectations.accepted(result.task, key, atMs);
      memory.noteTasks([result.task], atMs);
      memory.task(key).launched = true;
    } else if (result.outcome === 'unknown') expectations.unknown(key);
    else expectations.refused(key, !UNASKED.has(result.reason));
    return result;
  }

  #request(key: TaskKey, profile: Profile): LaunchRequest {
    assert(profile.launch !== false, 'this profile launches nothing');
    const { name, template, cpu, memoryMiB, envFile, agentName, options } = profile;
    const named = agentName === undefined ? {} : { [AGENT_NAME]: agentName };
    const env = { ...profile.env, ...named, ...this.#parts.taskEnv(key) };
    const size = { cpu, memoryMiB };
    const further = { ...(envFile ? { envFile } : {}), ...(options ? { options } : {}) };
    return { key, template, ...size, profile: name, env, ...further };
  }

  #note({ key, attempt }: RoomLaunch, room: RoomMemory, result: LaunchResult): number | null {
    const { expectations, memory, clock } = this.#parts;
    const atMs = clock.nowMs();
    // An adopted task may have ended: its verdict decides, in a pass of its own.
    if (result.outcome === 'accepted') return result.task.phase === 'ended' ? atMs : null;
    if (memory.tasks.has(key)) {
      // A repeat for a task that the engine lists: its start deadline goes on.
      memory.task(key).launched = result.outcome === 'refused';
      return atMs + TRY_AGAIN_MS;
    }
    const retry = result.outcome === 'refused' ? result.retry : 'same-key';
    const { detail } = result;
    const outcome = expectations.isUnknown(key) ? 'unknown' : 'refused';
    const before = room.trouble;
    const pulling = result.outcome === 'refused' && result.reason === 'pulling';
    const count = (before?.count ?? 0) + (pulling ? 0 : 1);
    const pulledMs = before?.pulling ? atMs - before.atMs : 0;
    const firstAtMs = (before?.firstAtMs ?? atMs) + pulledMs;
    room.trouble = { attempt, outcome, retry, pulling, detail, count, firstAtMs, atMs };
    return atMs;
  }

  #say(
    key: TaskKey,
    { reason, profile, saidBefore }: Said,
    result: LaunchResult,
    sentAtMs: number,
  ): void {
    const { log, clock, memory } = this.#parts;
    const { outcome } = result;
    const detail = result.outcome === 'accepted' ? undefined : result.detail;
    const refusal = result.outcome === 'refused' ? result.reason : undefined;
    const fields = { ...idOf(key, memory), profile, outcome, reason, refusal, detail };
    const tookMs = clock.nowMs() - sentAtMs;
    const repeated = outcome !== 'accepted' && saidBefore === detail;
    const level = outcome === 'accepted' ? 'info' : repeated ? 'debug' : 'warn';
    log.event('task.launch', { ...fields, took_ms: tookMs }, level);
  }
}

/** The profile that a standby's key names, of those that there are. */
export function profileOfStandby(key: TaskKey, profiles: readonly Profile[]): Profile | undefined {
  const name = parseStandbyKey(key)?.profile;
  return profiles.find((profile) => profile.name === name);
}
