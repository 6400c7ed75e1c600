/**
 * One pass over one room name: observe, plan, apply.
 *
 * A name can have several lives in memory (sids): at most one that LiveKit lists, and earlier ones of
 * which tasks are left. A room that is known from its tasks only (after a restart) has no name; its
 * pass rests on the full lists alone.
 */
import type { Action, KeyedTask, LiveRoomView, Plan } from '../core/action.ts';
import { LOOK_AGAIN_MS, soonest } from '../core/action.ts';
import type { Profile } from '../core/desired.ts';
import type { LaunchLimits } from '../core/limits.ts';
import type { RoomMemory } from '../core/remembered.ts';
import { isGone, planAbsentRoom } from '../core/plan-gone.ts';
import { planRoom } from '../core/plan.ts';
import { countOtherAgents, presentAgent, type Participant, type Room } from '../core/room.ts';
import { isStandbyKey } from '../core/key.ts';
import { noteClaim } from '../core/standby-room.ts';
import { isTaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import type { Applier } from './apply.ts';
import { type ActiveParts, tellActive } from './events.ts';
import type { Observer } from './observe.ts';
import { asProfileSays, type ProfileChooser } from './profiles.ts';

export interface PassParts extends ActiveParts {
  readonly observer: Observer;
  readonly applier: Pick<Applier, 'apply'>;
  readonly limits: LaunchLimits;
  readonly chooser: ProfileChooser;
  /** The standby of a profile that can take the room. */
  readonly readyStandby: (profile: string, room: RoomMemory) => KeyedTask | null;
  readonly clock: Clock;
  /** Called when a room left the line of those that wait for a launch. */
  readonly turnFree: () => void;
}

/** Waits for the engine, out of the way of other passes. */
export type StepAside = <T>(wait: () => Promise<T>) => Promise<T>;

/** Participants of a room, read only when a decision needs them, and once for all its lives. */
class Participants {
  readonly #ask: () => Promise<readonly Participant[] | null>;
  readonly #clock: Clock;
  #answer: Promise<readonly Participant[] | null> | null = null;
  /** When the look began. */
  begunAtMs = 0;

  constructor(clock: Clock, ask: () => Promise<readonly Participant[] | null>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  /** Null when LiveKit did not say. */
  read(): Promise<readonly Participant[] | null> {
    if (this.#answer) return this.#answer;
    this.begunAtMs = this.#clock.nowMs();
    return (this.#answer = this.#ask());
  }

  /** Time has passed: what was read may not be true any more. */
  expire(): void {
    this.#answer = null;
  }
}

export class Pass {
  readonly #parts: PassParts;

  constructor(parts: PassParts) {
    this.#parts = parts;
  }

  /**
   * Runs one pass over all lives of a name, seen by a list of rooms begun after `sinceTurn`.
   * Resolves with when to look again. Rejects when LiveKit or the engine did not answer: nothing
   * was done then.
   */
  async run(name: string, sinceTurn: number, aside: StepAside): Promise<number | null> {
    const { observer, memory, clock } = this.#parts;
    const begun = observer.turn();
    const participants = new Participants(clock, () => observer.participants(name));
    if (memory.named(name).some((room) => room.nudgedAtMs !== null)) void participants.read();
    const rooms = await observer.roomsNamed(name, sinceTurn);
    let lookAgainAtMs: number | null = null;
    for (const known of memory.named(name)) {
      // A list of all rooms can be older than the look that showed this one's end.
      const live = isGone(known) ? undefined : rooms.find((room) => room.sid === known.sid);
      const plan = () =>
        live
          ? this.#planLive(live, begun, participants)
          : this.#planAbsent(known, begun, rooms, participants);
      const look = await this.#carryOut(known, begun, plan, participants, aside);
      lookAgainAtMs = soonest(lookAgainAtMs, look);
    }
    return lookAgainAtMs;
  }

  /** A pass over a room whose name is not known. */
  async runNameless(room: RoomMemory): Promise<number | null> {
    const { observer, clock } = this.#parts;
    const begun = observer.turn();
    const nobody = new Participants(clock, () => Promise.resolve([]));
    const plan = () => this.#planAbsent(room, begun, [], nobody);
    return this.#carryOut(room, begun, plan, nobody, (wait) => wait());
  }

  async #carryOut(
    room: RoomMemory,
    begun: number,
    planNow: () => Promise<{ plan: Plan; view: LiveRoomView | null }>,
    participants: Participants,
    aside: StepAside,
  ): Promise<number | null> {
    const { observer, applier, limits, clock, log, turnFree } = this.#parts;
    const startedAtMs = clock.nowMs();
    let { plan, view } = await planNow();
    // An end that goes on shows in the engine's list alone, and the hint at it may be lost.
    const stale = startedAtMs - observer.tasksBegunAtMs >= LOOK_AGAIN_MS;
    if (plan.needsFreshTasks || (plan.state === 'ending' && stale)) {
      await aside(() => observer.freshTasks(begun));
      participants.expire();
      ({ plan, view } = await planNow());
    }
    room.state = plan.state;
    room.reason = plan.reason;
    const launches = plan.actions.some((action) => action.do === 'launch');
    if (!launches && limits.leave(room.sid)) turnFree();
    let { lookAgainAtMs } = plan;
    for (const action of plan.actions) {
      const look = await aside(() => applier.apply(action, view, room));
      lookAgainAtMs = soonest(lookAgainAtMs, look);
    }
    const what = plan.actions.map((action: Action) => action.do).join();
    const fields = { sid: room.sid, state: room.state, reason: plan.reason, actions: what };
    log.event('pass.run', { ...fields, took_ms: clock.nowMs() - startedAtMs }, 'debug');
    return lookAgainAtMs;
  }

  async #planLive(room: Room, begun: number, participants: Participants) {
    const { observer, memory, chooser, readyStandby, clock } = this.#parts;
    const known = memory.room(room.sid);
    const profile = chooser.of(known);
    const needed =
      memory.someUnclaimed || needsParticipants(known, observer.tasksOf(room.sid), profile);
    const seen = needed ? await participants.read() : [];
    const agent = seen === null ? 'unread' : presentAgent(room.sid, seen);
    const nowMs = clock.nowMs();
    const shown = agent === 'unread' ? null : (agent?.taskKey ?? null);
    const present = shown !== null && isTaskKey(shown) ? shown : null;
    if (present !== null && isStandbyKey(present)) noteClaim(memory, present, room.sid, nowMs);
    // Only now: what was listed meanwhile is in memory already, and a plan must not mix the two.
    const tasks = observer.tasksOf(room.sid).map((task) => asProfileSays(task, profile));
    if (agent === 'unread') known.unread.note(false, participants.begunAtMs);
    else {
      known.unread.note(true, nowMs);
      if (needed) known.lookedAtMs = participants.begunAtMs;
      // A room that has no task and needs none is not looked at any more.
      if (needed) known.otherAgents = countOtherAgents(room.sid, seen ?? []);
      else if (tasks.every(({ phase }) => phase === 'ended')) known.otherAgents = 0;
      const running = tasks.filter((task) => task.phase === 'running').map((task) => task.key);
      memory.noteAgent(room.sid, present, running, participants.begunAtMs, nowMs);
      if (present !== null && running.includes(present)) tellActive(present, 'list', this.#parts);
    }
    const tasksFresh = observer.tasksBegun > begun;
    const standby = readyStandby(profile.name, known);
    const view: LiveRoomView = {
      sid: room.sid,
      room,
      profile,
      tasks,
      tasksFresh,
      agent,
      standby,
    };
    return { plan: planRoom(view, { memory, nowMs }), view };
  }

  async #planAbsent(
    room: RoomMemory,
    begun: number,
    listed: readonly Room[],
    participants: Participants,
  ) {
    const { observer, memory, chooser, clock } = this.#parts;
    const live = observer.tasksOf(room.sid).some((task) => task.phase !== 'ended');
    const doubt = live && room.finishedAtMs === null && room.name !== null && listed.length === 0;
    const seen = doubt && isGone(room) ? await participants.read() : [];
    const agentStillThere = seen === null || presentAgent(room.sid, seen) !== null;
    const nowMs = clock.nowMs();
    const tasksFresh = observer.tasksBegun > begun;
    const profile = chooser.of(room);
    const tasks = observer.tasksOf(room.sid).map((task) => asProfileSays(task, profile));
    const view = { sid: room.sid, profile, tasks, tasksFresh, agentStillThere };
    const plan = planAbsentRoom(room, view, { memory, nowMs });
    if (isGone(room) && !agentStillThere) room.goneAtMs ??= nowMs;
    return { plan, view: null };
  }
}

/** A room whose run is over, or whose task is on its way or being ended, needs no second list. */
function needsParticipants(
  room: RoomMemory,
  tasks: readonly KeyedTask[],
  { launch }: Profile,
): boolean {
  const live = tasks.filter((task) => task.phase !== 'ended');
  if (live.length === 0 && launch === false) return false;
  if (live.length === 0) return room.failed === null && !room.stopped && room.state !== 'served';
  return live.length > 1 || live.some((task) => task.phase === 'running');
}
