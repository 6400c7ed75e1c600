/**
 * Carries out a plan's actions and notes what the engine answered.
 *
 * Nothing is decided here, and nothing is retried: an action that failed is planned again by the
 * next pass, from what is true then.
 */
import type { Action, LiveRoomView, Target } from '../core/action.ts';
import type { Profile } from '../core/desired.ts';
import type { Expectations } from '../core/expectations.ts';
import { attemptOf, parseRoomKey } from '../core/key.ts';
import type { LaunchLimits } from '../core/limits.ts';
import type { Memory } from '../core/memory.ts';
import type { RoomMemory } from '../core/remembered.ts';
import { endStyle } from '../core/verdict.ts';
import type { Driver, LaunchRequest, LaunchResult, TaskKey } from '../driver.ts';
import { assert } from '../lib/assert.ts';
import { within } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { reasonOf, type Log } from '../lib/log.ts';
import { Slots } from '../lib/slots.ts';
import type { SocketsPort } from './ports.ts';

/** Both of LiveKit's agent frameworks take their agent's name from it. */
const AGENT_NAME = 'LIVEKIT_AGENT_NAME_OVERRIDE';
/** Our runner's exit code for a room that it could not get, join or keep. */
const EXIT_UNREACHABLE = 75;
/** How long one call may take; a launch that takes longer is `unknown` and is repeated. */
const CALL_TIMEOUT_MS = 60_000;

export interface ApplierParts {
  readonly driver: Driver;
  readonly sockets: SocketsPort;
  readonly memory: Memory;
  readonly expectations: Expectations;
  readonly limits: LaunchLimits;
  readonly clock: Clock;
  readonly log: Log;
  /** What a task gets as its environment: the gateway's URL and its own credential. */
  readonly taskEnv: (key: TaskKey) => Readonly<Record<string, string>>;
  /** The server as tasks reach it: named where one did not. */
  readonly taskLivekitUrl: string;
  /** Called when a launch went out or is over: the next room may have its turn. */
  readonly turnFree: () => void;
}

/** Calls about listed tasks that an engine is bothered with; launches have limits of their own. */
const CALLS_AT_ONCE = 16;
/** How soon a call about a listed task that failed is planned again. */
const TRY_AGAIN_MS = 5_000;

export class Applier {
  readonly #parts: ApplierParts;
  readonly #calls = new Slots(CALLS_AT_ONCE);

  constructor(parts: ApplierParts) {
    this.#parts = parts;
  }

  /** Carries out one action; resolves with when to look at the room again, if the outcome asks it. */
  async apply(action: Action, view: LiveRoomView | null, room: RoomMemory): Promise<number | null> {
    switch (action.do) {
      case 'launch':
        assert(view !== null, 'only a live room launches');
        return this.#launch(action, view);
      case 'end':
        return this.#end(action);
      case 'stop':
        return this.#stop(action.task, action);
      case 'remove':
        return this.#remove(action);
      case 'judge':
        this.#judge(action);
        return null;
      case 'fail':
        this.#fail(room, action.reason);
        return null;
    }
  }

  /** Launches one attempt, if its turn has come; a room whose turn it is not waits in line. */
  async #launch(
    action: Extract<Action, { do: 'launch' }>,
    { room, profile }: LiveRoomView,
  ): Promise<number | null> {
    const { limits, expectations, driver, memory, clock, turnFree } = this.#parts;
    const known = memory.room(room.sid);
    const sentAtMs = clock.nowMs();
    const turn = limits.turn(room.sid, room.name, sentAtMs);
    if (!turn.go) {
      Object.assign(known, { state: 'waiting', reason: turn.reason });
      return turn.untilMs;
    }
    limits.sent(room.sid, room.name, sentAtMs);
    turnFree();
    expectations.sent(action.key);
    const request = this.#request(action.key, profile);
    const result = await within(clock, CALL_TIMEOUT_MS, (signal) => driver.launch(request, signal));
    if (result.outcome !== 'accepted' && limits.settled(room.sid)) turnFree();
    this.#say(action, known, result, sentAtMs);
    return this.#note(action, known, result);
  }

  /** Begins an end as its cause says: JobTermination, with SIGTERM to follow, or SIGTERM at once. */
  async #end(action: Extract<Action, { do: 'end' }>): Promise<number | null> {
    const { memory, sockets, clock, log } = this.#parts;
    const { task, cause } = action;
    const account = cause === 'never-joined' ? `: ${sockets.account(task.key)}` : '';
    const reason = `${action.reason}${account}`;
    memory.noteEnding(task.key, cause, reason, clock.nowMs());
    log.info('ending a task', { task: task.key, cause, reason });
    if (endStyle(cause, task).stopAfterTerminationMs === null) return this.#stop(task, action);
    if (!sockets.terminate(task.key)) log.debug('no socket to end it by', { task: task.key });
    return null;
  }

  async #remove({ task, reason }: Extract<Action, { do: 'remove' }>): Promise<number | null> {
    const { driver, log } = this.#parts;
    log.debug('removing what is left of a task', { task: task.key, reason });
    return this.#call('remove', task, (signal) => driver.remove(task.taskId, signal));
  }

  /** Records what an end meant. An end that this process did not see live is old news. */
  #judge({ task, key, judgement }: Extract<Action, { do: 'judge' }>): void {
    const { memory, limits, clock, log, turnFree } = this.#parts;
    const sid = parseRoomKey(key)?.sid;
    if (sid && limits.settled(sid)) turnFree();
    const known = memory.task(key);
    const { running, launched } = known;
    const atMs = clock.nowMs();
    known.judged = { ...judgement, endedAtMs: task.endedAtMs ?? atMs, atMs };
    const { verdict, reason } = judgement;
    const ranMs = (task.endedAtMs ?? atMs) - (task.startedAtMs ?? task.createdAtMs);
    const code = task.exit?.code ?? null;
    const unjoined = known.ending?.cause === 'never-joined' || code === EXIT_UNREACHABLE;
    const livekit_url = unjoined ? this.#parts.taskLivekitUrl : undefined;
    const fields = { ...idOf(key), verdict, reason, code, ran_ms: ranMs, livekit_url };
    const good = verdict === 'served' || verdict === 'displaced';
    log.event('task.end', fields, !running && !launched ? 'debug' : good ? 'info' : 'warn');
  }

  /** The run is failed for good: said once, loudly, and visible until the room is gone. */
  #fail(room: RoomMemory, reason: string): void {
    const { clock, log } = this.#parts;
    room.failed = { atMs: clock.nowMs(), reason };
    log.event('run.fail', { sid: room.sid, reason }, 'warn');
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

  #note(
    { key, attempt }: Extract<Action, { do: 'launch' }>,
    room: RoomMemory,
    result: LaunchResult,
  ): number | null {
    const { memory, expectations, clock } = this.#parts;
    const atMs = clock.nowMs();
    if (result.outcome === 'accepted') {
      expectations.accepted(result.task, key, atMs);
      memory.noteTasks([result.task], atMs);
      memory.task(key).launched = true;
      // An adopted task may have ended: its verdict decides, in a pass of its own.
      return result.task.phase === 'ended' ? atMs : null;
    }
    if (result.outcome === 'refused') expectations.refused(key);
    else expectations.unknown(key);
    if (memory.tasks.has(key)) {
      // A repeat for a task that the engine lists: its start deadline goes on.
      memory.task(key).launched = result.outcome === 'refused';
      return atMs + TRY_AGAIN_MS;
    }
    const retry = result.outcome === 'refused' ? result.retry : 'same-key';
    const { outcome, detail } = result;
    const before = room.trouble;
    const pulling = result.outcome === 'refused' && result.reason === 'pulling';
    const count = (before?.count ?? 0) + (pulling ? 0 : 1);
    const pulledMs = before?.pulling ? atMs - before.atMs : 0;
    const firstAtMs = (before?.firstAtMs ?? atMs) + pulledMs;
    room.trouble = { attempt, outcome, retry, pulling, detail, count, firstAtMs, atMs };
    return atMs;
  }

  #say(
    { key, reason }: Extract<Action, { do: 'launch' }>,
    room: RoomMemory,
    result: LaunchResult,
    sentAtMs: number,
  ): void {
    const { log, clock } = this.#parts;
    const { outcome } = result;
    const detail = result.outcome === 'accepted' ? undefined : result.detail;
    const refusal = result.outcome === 'refused' ? result.reason : undefined;
    const fields = { ...idOf(key), outcome, reason, refusal, detail };
    const tookMs = clock.nowMs() - sentAtMs;
    const repeated = outcome !== 'accepted' && room.trouble?.detail === detail;
    const level = outcome === 'accepted' ? 'info' : repeated ? 'debug' : 'warn';
    log.event('task.launch', { ...fields, took_ms: tookMs }, level);
  }

  async #stop(
    task: Target,
    { graceMs, reason }: { readonly graceMs: number; readonly reason: string },
  ): Promise<number | null> {
    const { driver, memory, clock } = this.#parts;
    return this.#call('stop', task, async (signal) => {
      await driver.stop(task.taskId, { graceMs, reason }, signal);
      const { ending } = memory.task(task.key);
      if (ending) ending.stopAskedAtMs = clock.nowMs();
    });
  }

  /** Runs one call; one that fails is said and planned again. */
  async #call(
    verb: string,
    task: Target,
    run: (signal: AbortSignal) => Promise<void>,
  ): Promise<number | null> {
    const { clock, log } = this.#parts;
    try {
      await this.#calls.run(() => within(clock, CALL_TIMEOUT_MS, run));
      return null;
    } catch (error) {
      const fields = { task: task.key, reason: reasonOf(error) };
      log.warn(`could not ${verb} a task; the next pass tries again`, fields);
      return clock.nowMs() + TRY_AGAIN_MS;
    }
  }
}

/** How a task is named in every event about it. */
function idOf(key: TaskKey) {
  return { task: key, sid: parseRoomKey(key)?.sid, attempt: attemptOf(key) };
}
