/**
 * When passes run. Everything that may have changed is a nudge: a room name in a set, so that ten
 * nudges cost one pass and nothing can overflow. Passes of one name never overlap; those of several
 * run side by side, up to a bound on those that look at LiveKit. A full pass over everything runs at start, every
 * `resyncMs`, and soon again after one that LiveKit or the engine did not answer.
 */
import { soonest } from '../core/action.ts';
import type { Expectations } from '../core/expectations.ts';
import { excessEvidence, isForgettable, isGone } from '../core/plan-gone.ts';
import type { LaunchLimits } from '../core/limits.ts';
import type { Memory } from '../core/memory.ts';
import type { RoomMemory } from '../core/remembered.ts';
import type { RoomSid } from '../core/room.ts';
import type { Clock } from '../lib/clock.ts';
import { reasonOf, type Log } from '../lib/log.ts';
import type { Applier } from './apply.ts';
import { HintedLists } from './hinted.ts';
import type { Observer } from './observe.ts';
import type { Pass, StepAside } from './pass.ts';
import { RunningPasses } from './running.ts';

/** Passes that look at LiveKit; one that waits for the engine is no longer among them. */
const PASSES_AT_ONCE = 8;
/** Of these, for rooms that nothing nudged: a webhook never waits for a full pass. */
const UNNUDGED_AT_ONCE = 4;
/** A room is never looked at again sooner than this without a nudge. */
const LOOK_AGAIN_MIN_MS = 20;
/** Waits after full passes that failed: 1, 2, 4 … s, at most the resync interval. */
const RETRY_BASE_MS = 1_000;

export interface LoopParts {
  readonly observer: Observer;
  readonly applier: Applier;
  readonly pass: Pass;
  readonly memory: Memory;
  readonly expectations: Expectations;
  readonly limits: LaunchLimits;
  readonly clock: Clock;
  readonly log: Log;
  readonly resyncMs: number;
  /** How far the engine's list lags behind. */
  readonly listLagMs: number;
}

export class Loop {
  readonly #parts: LoopParts;
  /** Names to look at, each with the turn of its newest nudge. */
  readonly #queue = new Map<string, number>();
  /** Names that a full pass looks at when no nudge waits. */
  readonly #unnudged = new Set<string>();
  readonly #running = new RunningPasses();
  readonly #lookAgain = new Map<string, () => void>();
  readonly #hinted: HintedLists;
  #fullPass: Promise<void> | null = null;
  #nextFullPass: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #failures = 0;
  #stopped = false;

  constructor(parts: LoopParts) {
    this.#parts = parts;
    // A list that failed is said by the outage, and the full pass comes back to it.
    this.#hinted = new HintedLists({ ...parts, failed: () => this.#fullPassIn(RETRY_BASE_MS) });
  }

  /** Look at this room. Never awaited by whoever nudges. */
  nudge(name: string): void {
    if (this.#stopped) return;
    this.#queue.set(name, this.#parts.observer.turn());
    this.#unnudged.delete(name);
    this.#drain();
  }

  /** Look at these rooms; one without a known name needs the full list, soon. */
  nudgeSids(sids: Iterable<RoomSid>): void {
    for (const sid of sids) {
      const name = this.#parts.memory.rooms.get(sid)?.name;
      if (name != null) this.nudge(name);
      else if (this.#parts.memory.firstPassAtMs !== null) this.#fullPassIn(RETRY_BASE_MS);
    }
  }

  /** The line of rooms that wait for a launch moved on: the first of it may have its turn. */
  nudgeWaiting(): void {
    const name = this.#parts.limits.next();
    if (name !== null) this.nudge(name);
  }

  /** The engine hints at a change. */
  nudgeTasks(): void {
    if (this.#parts.memory.firstPassAtMs !== null) this.#hinted.hint();
  }

  /** Runs the first full pass; resolves when it is done, well or not. Later ones follow by timer. */
  start(): Promise<void> {
    return this.#runFullPass();
  }

  /** Starts no pass any more and waits for those that run. Tasks are left as they are. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#nextFullPass?.cancel();
    this.#hinted.stop();
    for (const cancel of this.#lookAgain.values()) cancel();
    await Promise.all([this.#fullPass, this.#running.settled()]);
  }

  #drain(): void {
    if (this.#parts.memory.firstPassAtMs === null) return;
    for (const [name, turn] of this.#queue) {
      if (this.#running.looking >= PASSES_AT_ONCE) return;
      this.#begin(name, turn);
    }
    // By the full list that was read for them.
    for (const name of this.#unnudged) {
      if (this.#running.looking >= UNNUDGED_AT_ONCE) return;
      this.#begin(name, 0);
    }
  }

  #begin(name: string, turn: number): void {
    if (this.#stopped || this.#running.has(name)) return;
    this.#queue.delete(name);
    this.#unnudged.delete(name);
    const done = this.#runPass(name, turn).finally(() => {
      this.#running.over(name);
      this.#drain();
    });
    this.#running.add(name, done);
  }

  async #runPass(name: string, turn: number): Promise<void> {
    const { pass, clock } = this.#parts;
    const aside: StepAside = (wait) => {
      const waited = this.#running.aside(name, wait);
      this.#drain();
      return waited;
    };
    this.#lookAgain.get(name)?.();
    this.#lookAgain.delete(name);
    try {
      this.#lookAgainAt(name, await pass.run(name, turn, aside));
    } catch (error) {
      this.#parts.log.debug('a pass could not look', { reason: reasonOf(error) });
      this.#lookAgainAt(name, clock.nowMs() + RETRY_BASE_MS);
    }
  }

  #lookAgainAt(name: string, atMs: number | null): void {
    if (atMs === null || this.#stopped) return;
    const inMs = Math.max(atMs - this.#parts.clock.nowMs(), LOOK_AGAIN_MIN_MS);
    const cancel = this.#parts.clock.timer(inMs, () => {
      this.#lookAgain.delete(name);
      this.nudge(name);
    });
    this.#lookAgain.set(name, cancel);
  }

  #runFullPass(): Promise<void> {
    this.#fullPass ??= this.#lookAtEverything().finally(() => {
      this.#fullPass = null;
    });
    return this.#fullPass;
  }

  async #lookAtEverything(): Promise<void> {
    const { observer, memory, clock, log, resyncMs } = this.#parts;
    let inMs = resyncMs;
    const startedAtMs = clock.nowMs();
    try {
      // Tasks first: a room that is known from its task alone must be missed by this very list.
      await observer.freshTasks(observer.turn());
      const rooms = await observer.listAllRooms();
      memory.firstPassAtMs ??= clock.nowMs();
      this.#failures = 0;
      const nameless = await this.#lookAtNameless();
      if (nameless !== null) inMs = Math.min(inMs, Math.max(nameless - clock.nowMs(), 0));
      await this.#boundEvidence();
      this.#forget();
      const fields = { rooms: rooms.length, tasks: observer.allTasks().length };
      log.event('pass.run', { ...fields, took_ms: clock.nowMs() - startedAtMs }, 'debug');
      for (const room of memory.rooms.values()) this.#enqueue(room);
      this.#drain();
    } catch (error) {
      inMs = Math.min(RETRY_BASE_MS * 2 ** this.#failures, resyncMs);
      this.#failures += 1;
      log.debug('a full pass could not look', { reason: reasonOf(error), again_in_ms: inMs });
    }
    this.#fullPassIn(Math.max(inMs, LOOK_AGAIN_MIN_MS));
  }

  /** Looks by the full list that was just read, unless a nudge asked for a newer one. */
  #enqueue(room: RoomMemory): void {
    if (room.name === null || this.#queue.has(room.name)) return;
    const over = room.goneAtMs !== null && this.#parts.observer.tasksOf(room.sid).length === 0;
    if (!over) this.#unnudged.add(room.name);
  }

  /** Runs a full pass then, unless one is due sooner. */
  #fullPassIn(inMs: number): void {
    const atMs = this.#parts.clock.nowMs() + inMs;
    if (this.#stopped || (this.#nextFullPass && this.#nextFullPass.atMs <= atMs)) return;
    this.#nextFullPass?.cancel();
    const cancel = this.#parts.clock.timer(inMs, () => {
      this.#nextFullPass = null;
      void this.#runFullPass();
    });
    this.#nextFullPass = { atMs, cancel };
  }

  /** Rooms that are known from their tasks only: decided from the full lists, here. */
  async #lookAtNameless(): Promise<number | null> {
    const { memory, pass } = this.#parts;
    const nameless = [...memory.rooms.values()].filter((room) => room.name === null);
    // At once, so that those that need a new list of tasks share it.
    const looks = await Promise.all(nameless.map((room) => pass.runNameless(room)));
    return looks.reduce(soonest, null);
  }

  async #boundEvidence(): Promise<void> {
    const { observer, memory, applier } = this.#parts;
    const goneSids = [...observer.sidsWithTasks()].filter((sid) => isGone(memory.room(sid)));
    const ended = goneSids.flatMap((sid) =>
      observer.tasksOf(sid).filter((task) => task.phase === 'ended'),
    );
    for (const action of excessEvidence(ended)) await applier.applyToTask(action);
  }

  #forget(): void {
    const { memory, expectations, limits, observer, clock } = this.#parts;
    const nowMs = clock.nowMs();
    limits.prune(nowMs);
    const isOver = (room: RoomMemory) =>
      observer.tasksOf(room.sid).length === 0 && isForgettable(room, nowMs);
    for (const { sid } of memory.prune(isOver)) expectations.forget(sid);
  }
}
