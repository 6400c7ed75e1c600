/**
 * What must always hold of the warm pool, beside what holds for all tasks: a standby is offered work
 * by the launcher that made it alone, gets one job in its life, is never ended while it is well and
 * waits, and what goes to a room is replaced, in time and not in a hot loop.
 */
import { isStandbyKey, parseRoomKey } from '../../launcher/core/key.ts';
import type { RoomSid } from '../../launcher/core/room.ts';
import type { MemoryTask } from '../../launcher/drivers/memory.ts';
import { isTaskKey, type TaskId, type TaskKey } from '../../launcher/driver.ts';
import type { SimAgent } from './agent.ts';
import type { SimProcess } from './process.ts';
import type { SimWorld } from './world.ts';

/** In calm: until there is one too many no more, and until none is missing. */
const SURPLUS_MS = 30_000;
const MISSING_MS = 180_000;
/** From a standby's no until it is released. */
const RELEASED_MS = 1_000;
/** Launches of standbys within a minute: all at first, then by the backoff. */
const FAILURES_A_MINUTE = 15;
const MINUTE_MS = 60_000;

export interface Offer {
  readonly by: SimProcess;
  readonly atMs: number;
  /** How long LiveKit had been away by then. */
  readonly blindMs: number;
}

export class PoolOracle {
  readonly #world: SimWorld;
  readonly #broken: (invariant: string, detail: string) => void;
  readonly #makers = new Map<TaskKey, SimProcess>();
  /** Rooms whose job a standby was sent. */
  readonly #given = new Map<TaskId, RoomSid>();
  readonly #offers = new Map<TaskKey, Offer>();
  readonly #asked: { readonly by: SimProcess; readonly atMs: number }[] = [];
  readonly #offeredAtMs: number[] = [];
  #surplusSinceMs: number | null = null;
  #missingSinceMs: number | null = null;

  constructor(world: SimWorld, broken: (invariant: string, detail: string) => void) {
    this.#world = world;
    this.#broken = broken;
  }

  /** The room that a task truly is for; null for a standby without one. */
  sidOf({ id, key }: Pick<MemoryTask, 'id' | 'key'>): RoomSid | null {
    if (!isTaskKey(key)) return null;
    return parseRoomKey(key)?.sid ?? this.#given.get(id) ?? null;
  }

  /** Who made a standby; undefined for a room's task. */
  makerOf(key: TaskKey): SimProcess | undefined {
    return this.#makers.get(key);
  }

  /** The newest offer that a standby was taken for. */
  offerOf(key: TaskKey): Offer | undefined {
    return this.#offers.get(key);
  }

  // --- what launchers do -------------------------------------------------------------------------

  /** A standby's launch is asked for, carried out or not. */
  asks(by: SimProcess, key: TaskKey): void {
    const { standby } = this.#world.story;
    if (standby === 0) this.#broken('pool', `${key} is launched, and no pool is wanted`);
    const maker = this.#makers.get(key) ?? by;
    this.#makers.set(key, maker);
    if (maker !== by) this.#broken('pool', `${key} is another launcher's`);
    const nowMs = this.#nowMs;
    this.#asked.push({ by, atMs: nowMs });
    const recent = (atMs: number) => atMs > nowMs - MINUTE_MS;
    const asked = this.#asked.filter((each) => each.by === by && recent(each.atMs)).length;
    // Each hand-over calls for one more, and ends the backoff.
    const offered = this.#offeredAtMs.filter(recent).length;
    const most = 2 * standby + FAILURES_A_MINUTE * (1 + offered);
    if (asked > most) this.#broken('pool', `${asked} standbys within a minute, ${most} are due`);
  }

  /** A standby is given a room, and is about to be offered its job. */
  offers(by: SimProcess, key: TaskKey, blindMs: number): void {
    const task = this.#world.taskOf(key);
    if (this.#makers.get(key) !== by) this.#broken('job', `${key} is another launcher's`);
    if (task && this.#given.has(task.id)) this.#broken('job', `${key} is offered a second job`);
    this.#offers.set(key, { by, atMs: this.#nowMs, blindMs });
    this.#offeredAtMs.push(this.#nowMs);
  }

  /** A standby says no: soon it is no room's any more, or another one's. */
  refuses(by: SimProcess, key: TaskKey): void {
    const { clock } = this.#world;
    const saidAtMs = this.#nowMs;
    clock.timer(RELEASED_MS, () => {
      const room = by.alive && by.reconciler.memory.standbys.get(key)?.room;
      if (room && room.atMs < saidAtMs) this.#broken('pool', `${key} said no to ${room.sid}`);
    });
  }

  /** A standby is sent a job. */
  given(by: SimProcess, { key, task }: SimAgent, sid: RoomSid): void {
    if (this.#makers.get(key) !== by) this.#broken('job', `${key} is another launcher's`);
    if (this.#given.has(task.id)) this.#broken('job', `${key} was given a second job`);
    this.#given.set(task.id, sid);
    this.#world.faults.count('standby taken');
  }

  /** An end of a standby without a room: never of one that is well and waits. */
  ends(by: SimProcess, key: TaskKey, how: string): void {
    const agent = this.#world.agentOf(key);
    if (this.#makers.get(key) !== by || agent?.launcher !== by || this.#offers.has(key)) return;
    // A stop that failed is repeated, also when the standby has registered meanwhile.
    const { memory } = by.reconciler;
    const begunAtMs = memory.tasks.get(key)?.ending?.atMs ?? this.#nowMs;
    if ((memory.standbys.get(key)?.lineSinceMs ?? 0) > begunAtMs) return;
    if (agent.task.stoppingAtMs > this.#nowMs) {
      this.#broken('kill', `${how} for ${key}, which waits for a room`);
    }
  }

  // --- after every step, and at the end ----------------------------------------------------------

  check(calmMs: number): void {
    const { story } = this.#world;
    const waiting = this.#waiting();
    this.#surplusSinceMs =
      waiting.length > story.standby ? (this.#surplusSinceMs ?? this.#nowMs) : null;
    const ready = waiting.filter(({ launcher }) => launcher !== null).length;
    this.#missingSinceMs = ready < story.standby ? (this.#missingSinceMs ?? this.#nowMs) : null;
    const forMs = (sinceMs: number | null) =>
      Math.min(this.#nowMs - (sinceMs ?? this.#nowMs), calmMs);
    if (forMs(this.#surplusSinceMs) > SURPLUS_MS) {
      this.#broken('pool', `${waiting.length} standbys, and ${story.standby} are wanted`);
    }
    const crowded = story.inFlight < 10;
    const noticeMs = story.engine.hints ? 0 : story.resyncMs;
    if (!crowded && forMs(this.#missingSinceMs) > MISSING_MS + noticeMs) {
      this.#broken('pool', `${ready} standbys for long, and ${story.standby} are wanted`);
    }
  }

  /** Faults have ceased for long enough: the pool is full, and nobody else's is left. */
  settled(): void {
    const { story, engine, processes } = this.#world;
    // Two launchers that stay send each other's away.
    if (processes.filter((process) => process.alive).length > 1) return;
    const waiting = this.#waiting();
    const ready = waiting.filter(({ launcher }) => launcher !== null);
    if (ready.length !== story.standby) {
      this.#broken('pool', `${ready.length} standbys are ready, of ${story.standby}`);
    }
    for (const task of engine.tasks.values()) {
      if (task.endsAtMs <= this.#nowMs || this.sidOf(task) !== null) continue;
      if (!waiting.some(({ task: { id } }) => id === task.id))
        this.#broken('orphan', `${task.key} is left`);
    }
  }

  /** Standbys of the launcher that is up, without a room, whose end it has not begun. */
  #waiting(): SimAgent[] {
    const by = this.#world.gateway();
    return [...this.#world.agents.values()].filter(({ key, task }) => {
      if (!isStandbyKey(key) || this.#makers.get(key) !== by || by?.ending.has(key)) return false;
      if (!this.#world.engine.tasks.has(task.id)) return false;
      return Math.min(task.endsAtMs, task.stoppingAtMs) > this.#nowMs && !this.#given.has(task.id);
    });
  }

  get #nowMs(): number {
    return this.#world.clock.nowMs();
  }
}
