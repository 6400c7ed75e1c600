/**
 * What must always hold. The oracle sees the world as it truly is, and what each launcher was shown
 * of it; it judges each call when it is made, and the whole after every step.
 *
 * Bounds count from the last disturbance: while faults go on a room may have to wait.
 */
import type { Job } from '@livekit/protocol';
import { isStandbyKey, parseRoomKey } from '../../launcher/core/key.ts';
import type { RoomSid } from '../../launcher/core/room.ts';
import type { MemoryTask } from '../../launcher/drivers/memory.ts';
import { isTaskKey, type TaskId, type TaskKey } from '../../launcher/driver.ts';
import type { RoomNews } from '../../launcher/reconcile/reconciler.ts';
import type { SimAgent } from './agent.ts';
import type { SimRoom } from './livekit.ts';
import { PoolOracle } from './pool-oracle.ts';
import { BOUNDS, PROFILE, type SimProcess } from './process.ts';
import { RoomRecord } from './record.ts';
import type { SimWorld } from './world.ts';

export interface Violation {
  readonly invariant: string;
  readonly atMs: number;
  readonly detail: string;
}

/** In its place for so long, an agent is known to whoever looks. */
const SETTLED_MS = 15_000;
/** From the last disturbance to the next launch: looks, backoff, a slow answer. */
const PROMPT_MS = 50_000;
/** A look that was under way may rest on what was true so long ago. */
const LOOK_MS = 8_000;
/** Between the looks that tell a launcher that LiveKit is away. */
const BLIND_SLACK_MS = 6_000;
const MISSING_MS = 30_000;
/** From a list's begin to an end that rests on it, where no call is slow. */
const FRESH_MS = 1_000;
/** A list's way there and back. */
const LIST_MS = 20;
/** A call may take that long. */
const SLOWEST_MS = 75_000;
const SLOW = ['rooms-slow', 'participants-slow', 'launch-slow', 'list-slow'] as const;
/** In calm, from a room's end to its task's. */
const CALM_END_MS = 60_000;

export class Oracle {
  violation: Violation | null = null;
  readonly pool: PoolOracle;
  readonly #world: SimWorld;
  readonly #records = new Map<RoomSid, RoomRecord>();
  readonly #lastSids = new Map<string, RoomSid>();
  readonly #asked = new Map<SimProcess, { readonly atMs: number; readonly name: string }[]>();
  /** How long LiveKit had been away when a task started. */
  readonly #blindAt = new Map<TaskId, number>();
  #disturbedAtMs = 0;
  #blindMs = 0;
  /** When calls last could be slow, and lists leave rooms out. */
  #slowAtMs = -Infinity;
  #missingSinceMs = 0;
  #missedAtMs = -Infinity;
  #checkedAtMs = 0;

  constructor(world: SimWorld) {
    this.#world = world;
    this.pool = new PoolOracle(world, (invariant, detail) => this.broken(invariant, detail));
  }

  // --- what happens in the world -----------------------------------------------------------------

  opened(room: SimRoom): void {
    this.#record(room.sid).begins(this.#nowMs, this.#world.gateway());
    this.#lastSids.set(room.name, room.sid);
  }

  lastSid(name: string): RoomSid | undefined {
    return this.#lastSids.get(name);
  }

  disturbed(): void {
    this.#disturbedAtMs = this.#nowMs;
  }

  operatorStopped(sid: RoomSid): void {
    this.#record(sid).operator = true;
  }

  /** An agent shows another task's key in its room. */
  lied({ task }: SimAgent): void {
    const sid = this.pool.sidOf(task);
    if (sid) this.#record(sid).lied = true;
  }

  told(process: SimProcess, { sid }: RoomNews): void {
    this.#record(sid as RoomSid).told = process;
    this.#record(sid as RoomSid).toldAtMs = this.#nowMs;
  }

  /** The engine started a task. */
  started(agent: SimAgent): void {
    this.#blindAt.set(agent.task.id, this.#blindMs);
  }

  ended({ key, task }: SimAgent): void {
    const sid = this.pool.sidOf(task) ?? this.#world.gateway()?.reconciler.memory.sidOf(key);
    if (sid) this.#record(sid).ends(key, task.exitCode);
  }

  // --- what launchers do -------------------------------------------------------------------------

  /** A launch is asked for, carried out or not: the rates hold. */
  asks(process: SimProcess, key: TaskKey): void {
    if (isStandbyKey(key)) return this.pool.asks(process, key);
    const room = this.#world.livekit.room(sidOfKey(key));
    const name = room?.name ?? '';
    const overMs = this.#nowMs - (room?.closedAtMs ?? 0) - this.#world.story.livekit.hideLagMs;
    if (overMs > LOOK_MS && this.#nowMs - this.#slowAtMs > SLOWEST_MS) {
      this.broken('launch', `${key} is launched for a room that is over`);
    }
    const asked = this.#asked.get(process) ?? [];
    asked.push({ atMs: this.#nowMs, name });
    this.#asked.set(process, asked);
    const within = (ms: number) => asked.filter(({ atMs }) => atMs > this.#nowMs - ms);
    if (within(1_000).length > BOUNDS.perSecond) this.broken('rate', 'too many launches a second');
    const named = within(60_000).filter((one) => one.name === name);
    if (named.length > BOUNDS.perNamePerMinute) this.broken('rate', `too many for ${name}`);
  }

  refused(key: TaskKey): void {
    if (!isStandbyKey(key)) this.#record(sidOfKey(key)).refused(this.#nowMs);
  }

  /** A launch reaches the engine: never a second task beside one that this launcher knows of. */
  launches(process: SimProcess, key: TaskKey, askedAtMs: number): void {
    if (this.#world.taskOf(key) || isStandbyKey(key)) return;
    process.created.add(key);
    const sid = sidOfKey(key);
    const twin = this.#live(sid).find(
      (task) =>
        (process.shown.get(task.id) ?? Infinity) < askedAtMs &&
        this.#isTied(task, process, askedAtMs),
    );
    if (twin && !this.#record(sid).lied)
      this.broken('double', `${key} was launched beside ${twin.key}, which was known`);
    this.#attempted(this.#record(sid), key);
  }

  /** Does this launcher know whose task it is? Another launcher's standby shows it in its room. */
  #isTied({ key, id }: MemoryTask, process: SimProcess, atMs = this.#nowMs): boolean {
    const by = isTaskKey(key) ? this.pool.makerOf(key) : undefined;
    if (by === undefined || by === process) return true;
    const seat = this.#world.agents.get(id)?.seat;
    return seat != null && atMs - seat.sinceMs > SETTLED_MS;
  }

  /** A room's launch, or a standby that was given its job. */
  #attempted(record: RoomRecord, key: TaskKey): void {
    record.created.push(key);
    const starts = this.#world.processes.filter((each) => each.startedAtMs >= record.firstAtMs);
    // Lists that left the room out for long made a new life of it.
    const lives = record.lives + (this.#missedAtMs - this.#missingSinceMs > LOOK_MS ? 1 : 0);
    const once = record.uncounted.size + starts.length + record.overlaps;
    const most = (PROFILE.retries + 1) * lives + once;
    if (record.created.length > most && !record.lied) {
      this.broken('attempts', `${record.created.length} tasks for ${record.sid}, ${most} are due`);
    }
  }

  /** JobTermination or a stop: never for an agent that serves its live room. */
  ends(process: SimProcess, key: TaskKey, how: string): void {
    const { livekit, clock } = this.#world;
    const begun = process.ending.has(key);
    this.#restsOnAFreshList(process, key);
    const known = this.#world.taskOf(key);
    const sid = known ? this.pool.sidOf(known) : sidOfKey(key);
    if (!sid) return begun ? undefined : this.pool.ends(process, key, how);
    const task = this.#live(sid).find((each) => each.key === key);
    const record = this.#record(sid);
    if (!task || !livekit.isLive(sid) || record.operator) return;
    const agent = this.#world.agentOf(key);
    // Whose agent sat there could not be told.
    if (record.lied) return;
    // Lists that lag show one that has just ended.
    const slow = this.#nowMs - this.#slowAtMs < SLOWEST_MS;
    const shownMs = this.#world.story.engine.listLagMs + (slow ? LOOK_MS : LIST_MS);
    const others = this.#live(sid, this.#nowMs - shownMs).filter((each) => each !== task);
    if (others.length > 0) record.uncounted.set(key, process);
    // A task of the sid's life before is ended, though the sid is back.
    const openedAtMs = livekit.room(sid)?.openedAtMs ?? 0;
    if (task.createdAtMs < openedAtMs || task.stoppingAtMs <= clock.nowMs()) return;
    if (record.lives > 1 && this.#nowMs - openedAtMs < LOOK_MS) return;
    const seat = agent?.seat;
    if (seat?.room.sid === sid) {
      if (this.#decidedAtMs(process, key) - seat.sinceMs < SETTLED_MS) return;
      return this.broken('kill', `${how} for ${key}, whose agent serves its room`);
    }
    // Lists left the room out for long, and nobody in it spoke against its end.
    const missedMs = this.#missedAtMs - this.#missingSinceMs;
    if (missedMs > LOOK_MS && this.#nowMs - this.#missedAtMs < MISSING_MS) return;
    if (others.length > 0 || this.#mayEnd(task, agent, record, process)) return;
    this.broken('kill', `${how} for ${key} before its deadline`);
  }

  /** What begins an end must have been listed after the fact that it rests on. */
  #restsOnAFreshList(process: SimProcess, key: TaskKey): void {
    if (process.ending.has(key)) return;
    process.ending.add(key);
    const oldMs = this.#decidedAtMs(process, key) - process.listBegunAtMs;
    const slow = this.#nowMs - this.#slowAtMs < SLOWEST_MS;
    if (oldMs > FRESH_MS && !slow) this.broken('stale', `${key} is ended by a list of ${oldMs} ms`);
  }

  /** What is left of a task is evidence for as long as its room lives. */
  removes(process: SimProcess, id: TaskId): void {
    const task = this.#world.engine.tasks.get(id);
    if (!task) return;
    const sid = this.pool.sidOf(task);
    if (
      sid &&
      this.#isTied(task, process) &&
      this.#world.livekit.isLive(sid) &&
      this.#record(sid).lives === 1
    ) {
      this.broken('evidence', `${task.key} was removed, and its room is live`);
    }
  }

  /** A standby is given a room. */
  offers(process: SimProcess, key: TaskKey): void {
    this.pool.offers(process, key, this.#blindMs);
  }

  /** A job is handed over: to one task of a live room, once. */
  assigned(process: SimProcess, agent: SimAgent, job: Job | undefined): void {
    const sid = job?.room?.sid as RoomSid;
    const room = this.#world.livekit.room(sid);
    if (isStandbyKey(agent.key)) {
      const twin = this.#live(sid).find(({ key }) => isTaskKey(key) && causes(process, key));
      if (twin) this.broken('double', `${agent.key} was given ${sid} beside ${twin.key}`);
      this.pool.given(process, agent, sid);
      this.#attempted(this.#record(sid), agent.key);
    }
    if (sid !== this.pool.sidOf(agent.task)) this.broken('job', `${agent.key} was given ${sid}`);
    if (!room || room.closedAtMs < this.#nowMs - LOOK_MS) {
      return this.broken('job', `${agent.key} was given a room that is over`);
    }
    if (agent.seat) this.broken('job', `${agent.key} was given a second job`);
    const other = this.#world.livekit
      .seated(room)
      .find((seat) => seat.taskKey !== agent.key && this.#nowMs - seat.sinceMs > SETTLED_MS);
    const twin = other && this.#live(sid).find((task) => task.key === other.taskKey);
    if (twin) this.broken('job', `${agent.key} was sent into the room of ${twin.key}`);
  }

  // --- after every step --------------------------------------------------------------------------

  check(): void {
    const { livekit, processes, livekitDown, faults, story } = this.#world;
    const nowMs = this.#nowMs;
    const blind = livekitDown || faults.sure('rooms-fail') || faults.sure('participants-fail');
    if (blind) this.#blindMs += nowMs - this.#checkedAtMs;
    this.#checkedAtMs = nowMs;
    if (SLOW.some((fault) => faults.isOpen(fault))) this.#slowAtMs = nowMs;
    if (faults.isOpen('rooms-miss')) {
      if (nowMs - this.#missedAtMs > MISSING_MS) this.#missingSinceMs = nowMs;
      this.#missedAtMs = nowMs;
    }
    const up = processes.filter((process) => process.alive);
    if (faults.any || livekitDown || up.length !== 1) this.#disturbedAtMs = nowMs;
    const since = Math.max(this.#disturbedAtMs, up[0]?.startedAtMs ?? nowMs);
    this.pool.check(nowMs - since);
    for (const [sid, record] of this.#records) {
      const live = this.#live(sid);
      record.sees(live, nowMs);
      const room = livekit.room(sid);
      const calmMs = nowMs - since;
      if (calmMs < PROMPT_MS) continue;
      if (room?.closedAtMs === Infinity) this.#checkLive(room, record, live, calmMs);
      else if (live.length > 0) {
        const overMs = nowMs - Math.max(room?.closedAtMs ?? 0, live[0]!.createdAtMs);
        if (Math.min(overMs, calmMs) > 2 * story.resyncMs + 60_000) {
          this.broken('orphan', `${live[0]!.key} outlives its room`);
        }
      }
    }
  }

  /** Faults have ceased for long enough: every live room is served, no task is left over. */
  settled(): void {
    for (const room of this.#world.livekit.live()) {
      const record = this.#record(room.sid);
      if (this.#excused(record)) continue;
      const live = this.#live(room.sid);
      const seats = live.filter(({ id }) => this.#world.agents.get(id)?.seat?.room === room);
      if (live.length === 1 && seats.length === 1) continue;
      this.broken('unserved', `${room.sid} has ${live.length} tasks, ${seats.length} in it`);
    }
    for (const task of this.#world.engine.tasks.values()) {
      if (task.endsAtMs <= this.#nowMs) continue;
      const sid = this.pool.sidOf(task);
      const room = sid && this.#world.livekit.room(sid);
      if (!sid) continue;
      const over = (room?.closedAtMs ?? 0) < this.#nowMs - CALM_END_MS;
      if (over) this.broken('orphan', `${task.key} is left`);
    }
    this.pool.settled();
  }

  /** All rooms are long over: nothing is kept of them. */
  emptied(): void {
    const { engine, story } = this.#world;
    const memory = this.#world.gateway()?.reconciler.memory;
    const taken = [...(memory?.standbys.sids() ?? [])].length;
    const left = { rooms: memory?.rooms.size, taken };
    if (left.rooms !== 0 || taken !== 0) this.broken('memory', JSON.stringify(left));
    const pool = { tasks: memory?.tasks.size, standbys: memory?.standbys.idle.size };
    const only = this.#world.processes.filter((process) => process.alive).length === 1;
    if (only && (pool.tasks !== story.standby || pool.standbys !== story.standby)) {
      this.broken('memory', JSON.stringify(pool));
    }
    const kept = story.engine.forgets ? 0 : engine.tasks.size - story.standby;
    if (only && kept > 0) this.broken('evidence', `${kept} ended tasks are kept for ever`);
    this.pool.settled();
  }

  /** The first breach is kept: what follows may be its consequence. */
  broken(invariant: string, detail: string): void {
    this.violation ??= { invariant, atMs: this.#nowMs, detail };
  }

  #checkLive(room: SimRoom, record: RoomRecord, live: readonly MemoryTask[], calmMs: number): void {
    if (this.#excused(record)) return;
    const { story } = this.#world;
    const aloneMs = this.#nowMs - record.countChangedAtMs;
    const roomMs = this.#nowMs - room.openedAtMs;
    const hintMs = story.engine.hints ? 0 : story.resyncMs;
    if (live.length > 1 && Math.min(aloneMs, calmMs) > PROMPT_MS + 20_000 + hintMs) {
      this.broken('double', `${room.sid} keeps ${live.length} tasks`);
    }
    const told = record.told === this.#world.gateway();
    const noticeMs = told && story.engine.hints ? 0 : story.resyncMs;
    const toldMs = this.#nowMs - (record.toldAtMs ?? room.openedAtMs);
    const crowded = story.inFlight < 10;
    // A call that was slow to begin with may be under way for long after.
    const promptMs = this.#nowMs - (this.#slowAtMs + SLOWEST_MS);
    const waitedMs = Math.min(aloneMs, roomMs, calmMs, toldMs, promptMs);
    if (live.length === 0 && !crowded && waitedMs > PROMPT_MS + noticeMs) {
      this.broken('slow', `${room.sid} has had no task for ${waitedMs} ms`);
    }
    const [task] = live;
    const agent = task && this.#world.agents.get(task.id);
    if (!task || agent?.seat || crowded) return;
    const idleMs = this.#nowMs - Math.max(task.startsAtMs, agent?.leftAtMs ?? 0);
    if (Math.min(idleMs, calmMs, aloneMs) > 150_000) {
      this.broken('stuck', `${task.key} is not in its room, and nothing happens`);
    }
  }

  /** When the launcher decided on this end: a stop that is slow, or failed once, comes later. */
  #decidedAtMs({ reconciler }: SimProcess, key: TaskKey): number {
    return reconciler.memory.tasks.get(key)?.ending?.atMs ?? this.#nowMs;
  }

  /** Is it in order that nobody serves this room? */
  #excused(record: RoomRecord): boolean {
    return record.isDone(PROFILE.retries + 1, PROFILE.startDeadlineMs, this.#world.gateway());
  }

  #mayEnd(
    task: MemoryTask,
    agent: SimAgent | undefined,
    record: RoomRecord,
    process: SimProcess,
  ): boolean {
    const nowMs = this.#nowMs;
    const offer = this.pool.offerOf(task.key as TaskKey);
    if (task.startsAtMs > nowMs) return nowMs - task.createdAtMs >= PROFILE.startDeadlineMs;
    const sighted = process.reconciler.memory.task(task.key as TaskKey).sighted;
    if (agent?.leftAtMs !== undefined && sighted) {
      const leftMs = nowMs - agent.leftAtMs;
      return leftMs >= MISSING_MS - BLIND_SLACK_MS || record.lives > 1 || agent.over;
    }
    const sinceMs = offer?.atMs ?? task.startsAtMs;
    const blindMs = this.#blindMs - (offer?.blindMs ?? this.#blindAt.get(task.id) ?? 0);
    const ranMs = nowMs - sinceMs - blindMs;
    return ranMs >= PROFILE.joinDeadlineMs - BLIND_SLACK_MS;
  }

  #live(sid: RoomSid, atMs = this.#nowMs): MemoryTask[] {
    const live: MemoryTask[] = [];
    for (const task of this.#world.engine.tasks.values()) {
      if (task.endsAtMs > atMs && this.pool.sidOf(task) === sid) live.push(task);
    }
    return live;
  }

  #record(sid: RoomSid): RoomRecord {
    let record = this.#records.get(sid);
    if (!record) {
      const up = this.#world.processes.filter((process) => process.alive).length;
      record = new RoomRecord(sid, this.#nowMs, Math.max(up - 1, 0));
      this.#records.set(sid, record);
    }
    return record;
  }

  get #nowMs(): number {
    return this.#world.clock.nowMs();
  }
}

/** Did this launcher make the task, and not end it? */
function causes(process: SimProcess, key: TaskKey): boolean {
  return process.created.has(key) && !process.ending.has(key);
}

/** The room that a key names. */
function sidOfKey(key: TaskKey): RoomSid {
  return (parseRoomKey(key)?.sid ?? '') as RoomSid;
}
