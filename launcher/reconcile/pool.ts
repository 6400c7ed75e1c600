/**
 * The keeper of the warm pool: sees to it that each profile has its standbys, says which of them can
 * take a room, and calls a room that waits when one can.
 *
 * A pass at a time, over all standbys that no room has; nudges that come meanwhile make one more.
 */
import { soonest, type Context, type KeyedTask } from '../core/action.ts';
import type { Profiles } from '../core/desired.ts';
import type { Expectations } from '../core/expectations.ts';
import type { LaunchLimits } from '../core/limits.ts';
import type { Memory } from '../core/memory.ts';
import { isReady, planPool, type PoolAction, type PoolPlan } from '../core/plan-pool.ts';
import type { RoomMemory } from '../core/remembered.ts';
import { releaseStandby } from '../core/standby-room.ts';
import type { StandbyMemory } from '../core/standbys.ts';
import type { TaskKey } from '../driver.ts';
import type { SocketChange } from '../gateway/ports.ts';
import { assert } from '../lib/assert.ts';
import { delay, type Clock } from '../lib/clock.ts';
import { reasonOf, type Log } from '../lib/log.ts';
import type { Applier } from './apply.ts';
import { profileOfStandby, type Launches, type StandbyLaunch } from './launches.ts';
import type { Observer } from './observe.ts';
import { PoolNews } from './pool-news.ts';
import { poolView, standbyTask } from './pool-view.ts';
import type { ProfileChooser } from './profiles.ts';

/** After a pass that could not look, and the least time between two passes without a nudge. */
const RETRY_MS = 1_000;
const LOOK_AGAIN_MIN_MS = 20;
/**
 * After a pass the pool rests as long as that took, this long at most: however many workers register
 * at once, passes over all standbys leave half of the time to the rest.
 */
const REST_MAX_MS = 20;
/** Standbys that may decline a room: where several are too busy, others are too. */
const DECLINED_MAX = 3;
/** How soon a launch that rooms left no turn is tried again. */
const TURN_MS = 1_000;

/** A room that no standby declined. */
const ANY = { declinedBy: new Set<TaskKey>() };

export interface PoolParts {
  readonly observer: Observer;
  readonly memory: Memory;
  readonly expectations: Expectations;
  readonly limits: LaunchLimits;
  readonly launches: Launches;
  readonly applier: Applier;
  readonly chooser: ProfileChooser;
  readonly profiles: Profiles;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1): makes the keys of standbys. */
  readonly random: () => number;
  /** Look at this room. */
  readonly nudge: (name: string) => void;
}

export class Pool {
  readonly #parts: PoolParts;
  /** Profiles that want standbys. */
  readonly #wanted: ReadonlySet<string>;
  readonly #news: PoolNews;
  #run: Promise<void> | null = null;
  #isRunning = false;
  #again = false;
  /** Launches without an answer: one that is slow holds up none of the rest. */
  readonly #launching = new Set<Promise<void>>();
  #nextLook: { readonly atMs: number; readonly cancel: () => void } | null = null;
  #stopped = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
    const wanted = parts.profiles.list.filter(({ standby = 0 }) => standby > 0);
    this.#wanted = new Set(wanted.map(({ name }) => name));
    this.#news = new PoolNews(this.#wanted, parts);
  }

  /** Can this standby be offered a room now? */
  isReady(key: TaskKey): boolean {
    const known = this.#parts.memory.standbys.get(key);
    const task = standbyTask(key, this.#parts);
    return known !== undefined && isReady({ known, task }, this.#context());
  }

  /** The standby of this profile that has waited longest, of those that can take this room. */
  ready(profile: string, { declinedBy }: Pick<RoomMemory, 'declinedBy'> = ANY): KeyedTask | null {
    if (!this.#wanted.has(profile) || declinedBy.size >= DECLINED_MAX) return null;
    for (const { key, profile: its } of this.#parts.memory.standbys.idle.values()) {
      if (its === profile && !declinedBy.has(key) && this.isReady(key))
        return standbyTask(key, this.#parts);
    }
    return null;
  }

  /** The gateway saw a standby's socket change. */
  socketChanged(key: TaskKey, change: SocketChange): void {
    const { memory, limits, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const standby = memory.standbys.note(key);
    switch (change) {
      case 'registered':
        standby.lineSinceMs = nowMs;
        standby.registeredAtMs ??= nowMs;
        limits.standbySettled(key);
        break;
      case 'closed':
        Object.assign(standby, { lineSinceMs: null, lineLostAtMs: nowMs });
        this.#release(standby);
        break;
      case 'refused':
        memory.standbys.rest(standby, nowMs);
        this.#release(standby);
        break;
      case 'expired':
        standby.spent = 'its worker did not answer an offer';
        this.#release(standby);
        break;
      case 'assigned':
    }
    this.nudge();
  }

  /** Look at all of it. Never awaited by whoever nudges. */
  nudge(): void {
    if (this.#stopped) return;
    const { memory } = this.#parts;
    if (this.#wanted.size === 0 && memory.standbys.idle.size === 0) return;
    this.#again = true;
    if (!this.#isRunning) this.#run = this.#runPasses();
  }

  /** Starts nothing any more and waits for what runs. Standbys are left as they are. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#nextLook?.cancel();
    await Promise.all([this.#run, ...this.#launching]);
  }

  /** An offer that came to nothing: the room is looked at again, the next standby may take it. */
  #release({ key, room }: StandbyMemory): void {
    const { memory, nudge } = this.#parts;
    if (!room || memory.task(key).assigned) return;
    releaseStandby(memory, key);
    const name = memory.rooms.get(room.sid)?.name;
    if (name != null) nudge(name);
  }

  async #runPasses(): Promise<void> {
    const { clock, log, memory } = this.#parts;
    this.#isRunning = true;
    while (this.#again && !this.#stopped) {
      this.#again = false;
      this.#nextLook?.cancel();
      this.#nextLook = null;
      const begunAtMs = clock.nowMs();
      try {
        const started = memory.firstPassAtMs !== null;
        this.#lookAgainAt(started ? await this.#pass() : clock.nowMs() + RETRY_MS);
      } catch (error) {
        log.debug('a pass over the warm pool could not look', { reason: reasonOf(error) });
        this.#lookAgainAt(clock.nowMs() + RETRY_MS);
      }
      const restMs = Math.min(clock.nowMs() - begunAtMs, REST_MAX_MS);
      if (restMs > 0) await delay(clock, restMs);
    }
    // In one step with the last look at `again`: a nudge in between would be lost.
    this.#isRunning = false;
  }

  /** Resolves with when to look again. Rejects when the engine did not answer. */
  async #pass(): Promise<number | null> {
    const { observer } = this.#parts;
    const begun = observer.turn();
    let plan = this.#plan(begun);
    if (plan.needsFreshTasks) {
      await observer.freshTasks(begun);
      plan = this.#plan(begun);
    }
    this.#news.say((key) => this.isReady(key));
    this.#callRooms();
    const looks = await Promise.all(plan.actions.map((action) => this.#apply(action)));
    return looks.reduce(soonest, plan.lookAgainAtMs);
  }

  #plan(begun: number): PoolPlan {
    this.#forget();
    return planPool(poolView(this.#parts, begun), this.#context(), this.#parts.random);
  }

  async #apply(action: PoolAction): Promise<number | null> {
    if (action.do !== 'launch-standby') return this.#parts.applier.applyToTask(action);
    const launching = this.#launch(action).finally(() => this.#launching.delete(launching));
    this.#launching.add(launching);
    return null;
  }

  async #launch(action: StandbyLaunch): Promise<void> {
    const { launches, profiles, clock, log } = this.#parts;
    const profile = profileOfStandby(action.key, profiles.list);
    assert(profile !== undefined, 'standbys are launched of profiles that exist');
    try {
      this.#lookAgainAt((await launches.ofStandby(action, profile)) ?? clock.nowMs() + TURN_MS);
    } catch (error) {
      log.error('could not launch a standby', { task: action.key, reason: reasonOf(error) });
      this.#lookAgainAt(clock.nowMs() + RETRY_MS);
    }
  }

  /** Standbys that neither the engine nor a launch knows any more. */
  #forget(): void {
    const { memory, observer, expectations, limits } = this.#parts;
    for (const key of memory.standbys.idle.keys()) {
      if (observer.task(key) || expectations.awaits(key)) continue;
      limits.standbySettled(key);
      memory.standbys.forget(key);
      memory.tasks.delete(key);
    }
  }

  /** Rooms in line that a standby could take. */
  #callRooms(): void {
    const { memory, limits, chooser, nudge } = this.#parts;
    for (const sid of limits.waiting()) {
      const room = memory.room(sid);
      if (room.name !== null && this.ready(chooser.of(room).name, room)) nudge(room.name);
    }
  }

  /** Looks again then, unless it does sooner. */
  #lookAgainAt(atMs: number | null): void {
    if (atMs === null || this.#stopped || (this.#nextLook && this.#nextLook.atMs <= atMs)) return;
    this.#nextLook?.cancel();
    const inMs = Math.max(atMs - this.#parts.clock.nowMs(), LOOK_AGAIN_MIN_MS);
    const cancel = this.#parts.clock.timer(inMs, () => this.nudge());
    this.#nextLook = { atMs, cancel };
  }

  #context(): Context {
    return { memory: this.#parts.memory, nowMs: this.#parts.clock.nowMs() };
  }
}
