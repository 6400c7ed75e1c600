/**
 * Carries out a plan's actions and notes what the engine answered.
 *
 * Nothing is decided here, and nothing is retried: an action that failed is planned again by the
 * next pass, from what is true then.
 */
import type { Action, LiveRoomView, Target, TaskAction } from '../core/action.ts';
import type { LaunchLimits } from '../core/limits.ts';
import type { Memory } from '../core/memory.ts';
import type { RoomMemory } from '../core/remembered.ts';
import { releaseStandby, takeStandby } from '../core/standby-room.ts';
import { endStyle, stopReason } from '../core/verdict.ts';
import type { Driver, TaskKey } from '../driver.ts';
import { assert } from '../lib/assert.ts';
import { within } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { reasonOf, type Log } from '../lib/log.ts';
import { Slots } from '../lib/slots.ts';
import { idOf } from './events.ts';
import type { Launches } from './launches.ts';
import type { SocketsPort } from './ports.ts';

/** Our runner's exit code for a room that it could not get, join or keep. */
const EXIT_UNREACHABLE = 75;
/** How long one call may take. */
const CALL_TIMEOUT_MS = 60_000;

export interface ApplierParts {
  readonly driver: Driver;
  readonly sockets: SocketsPort;
  readonly memory: Memory;
  readonly limits: LaunchLimits;
  readonly launches: Launches;
  /** Can this standby be offered a room now? */
  readonly isReady: (key: TaskKey) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** The server as tasks reach it: named where one did not. */
  readonly taskLivekitUrl: string;
  /** Called when a launch is over: the next room may have its turn. */
  readonly turnFree: () => void;
  /** Called when a standby has no room any more. */
  readonly standbyFree: () => void;
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
        return this.#parts.launches.ofRoom(action, view);
      case 'assign':
        assert(view !== null, 'only a live room is offered');
        return this.#assign(action, view);
      case 'release':
        return this.#release(action);
      case 'fail':
        this.#fail(room, view?.profile.name, action.reason);
        return null;
      default:
        return this.applyToTask(action);
    }
  }

  /** What is done to a task, whether it has a room or not. */
  async applyToTask(action: TaskAction): Promise<number | null> {
    switch (action.do) {
      case 'end':
        return this.#end(action);
      case 'stop':
        return this.#stop(action.task, action);
      case 'remove':
        return this.#remove(action);
      case 'judge':
        this.#judge(action);
        return null;
    }
  }

  /** Offers the room to a standby, if its turn has come and no other room took it meanwhile. */
  #assign(
    { task, reason }: Extract<Action, { do: 'assign' }>,
    { room }: LiveRoomView,
  ): number | null {
    const { limits, memory, sockets, clock, log, isReady } = this.#parts;
    const nowMs = clock.nowMs();
    const turn = limits.turnOfName(room.sid, room.name, nowMs);
    if (!turn.go) {
      Object.assign(memory.room(room.sid), { state: 'waiting', reason: turn.reason });
      return turn.untilMs;
    }
    if (!isReady(task.key)) return nowMs;
    limits.assigned(room.sid, room.name, nowMs);
    takeStandby(memory, task.key, room.sid, nowMs);
    log.debug('offering a room to a standby', { ...idOf(task.key, memory), reason });
    sockets.offer(task.key);
    return null;
  }

  /** Takes back what a standby was offered; one that may still say yes can be offered nothing more. */
  #release({ task, reason }: Extract<Action, { do: 'release' }>): null {
    const { memory, sockets, log, standbyFree } = this.#parts;
    const standby = memory.standbys.get(task.key);
    if (!standby?.room || memory.task(task.key).assigned) return null;
    if (!sockets.withdraw(task.key)) standby.spent = reason;
    log.debug('taking an offer back', { ...idOf(task.key, memory), reason });
    releaseStandby(memory, task.key);
    standbyFree();
    return null;
  }

  /** Begins an end as its cause says: JobTermination, with SIGTERM to follow, or SIGTERM at once. */
  async #end(action: Extract<Action, { do: 'end' }>): Promise<number | null> {
    const { memory, sockets, clock, log } = this.#parts;
    const { task, cause } = action;
    const account = cause === 'never-joined' ? `: ${sockets.account(task.key)}` : '';
    const reason = `${action.reason}${account}`;
    memory.noteEnding(task.key, cause, reason, clock.nowMs());
    log.event('task.ending', { ...idOf(task.key, memory), cause, reason });
    if (endStyle(cause, task).stopAfterTerminationMs === null) {
      // Its stop takes a while on some engines: it must not be given its job meanwhile.
      sockets.withdraw(task.key);
      return this.#stop(task, action);
    }
    if (!sockets.terminate(task.key)) log.debug('no socket to end it by', { task: task.key });
    return null;
  }

  async #remove({ task, reason }: Extract<Action, { do: 'remove' }>): Promise<number | null> {
    const { driver, memory, log } = this.#parts;
    log.debug('removing what is left of a task', { task: task.key, reason });
    return this.#call('remove', task, async (signal) => {
      await driver.remove(task.taskId, signal);
      const known = memory.tasks.get(task.key);
      if (known) known.removed = true;
    });
  }

  /** Records what an end meant. An end that this process did not see live is old news. */
  #judge({ task, key, judgement }: Extract<Action, { do: 'judge' }>): void {
    const { memory, limits, clock, log, turnFree } = this.#parts;
    const sid = memory.sidOf(key);
    if (sid === null) limits.standbySettled(key);
    else if (limits.settled(sid)) turnFree();
    const known = memory.task(key);
    const { running, launched } = known;
    const atMs = clock.nowMs();
    memory.noteEnd(key, judgement, task.endedAtMs ?? atMs, atMs);
    const { verdict, reason } = judgement;
    const ranMs = (task.endedAtMs ?? atMs) - (task.startedAtMs ?? task.createdAtMs);
    const code = task.exit?.code ?? null;
    const unjoined = known.ending?.cause === 'never-joined' || code === EXIT_UNREACHABLE;
    const livekit_url = unjoined ? this.#parts.taskLivekitUrl : undefined;
    const times = { ran_ms: ranMs, created_at_ms: task.createdAtMs };
    const fields = { ...idOf(key, memory), verdict, reason, code, ...times, livekit_url };
    const good = verdict === 'served' || verdict === 'displaced';
    log.event('task.end', fields, !running && !launched ? 'debug' : good ? 'info' : 'warn');
  }

  /** The run is failed for good: said once, loudly, and visible until the room is gone. */
  #fail(room: RoomMemory, profile: string | undefined, reason: string): void {
    const { clock, log } = this.#parts;
    room.failed = { atMs: clock.nowMs(), reason };
    log.event('run.fail', { sid: room.sid, profile, reason }, 'warn');
  }

  async #stop(
    task: Target,
    { graceMs, reason }: { readonly graceMs: number; readonly reason: string },
  ): Promise<number | null> {
    const { driver, memory, clock } = this.#parts;
    const { ending } = memory.task(task.key);
    const verdict = ending ? endStyle(ending.cause, task).verdict : null;
    const how = { graceMs, reason: stopReason(verdict, reason) };
    return this.#call('stop', task, async (signal) => {
      await driver.stop(task.taskId, how, signal);
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
