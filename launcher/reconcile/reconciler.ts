/**
 * The reconciler put together: what the webhook listener, the gateway and the operators tell it goes
 * into memory and nudges a room; everything else is the loop's.
 */
import type { Profile, Profiles } from '../core/desired.ts';
import { Expectations } from '../core/expectations.ts';
import { isStandbyKey, parseRoomKey } from '../core/key.ts';
import { LaunchLimits, type LaunchBounds } from '../core/limits.ts';
import { Memory } from '../core/memory.ts';
import { isGone } from '../core/plan-gone.ts';
import type { RoomMemory } from '../core/remembered.ts';
import { agentIdentity, type RoomSid } from '../core/room.ts';
import { noteAssigned } from '../core/standby-room.ts';
import { isTaskKey, type Driver, type TaskKey } from '../driver.ts';
import type { SocketChange } from '../gateway/ports.ts';
import { delay, type Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Outage } from '../lib/outage.ts';
import { Applier } from './apply.ts';
import { tellActive } from './events.ts';
import { HandOver, type HandOverPorts } from './hand-over.ts';
import { Launches } from './launches.ts';
import { Loop } from './loop.ts';
import { Observer } from './observe.ts';
import { Pass } from './pass.ts';
import { Pool } from './pool.ts';
import type { RoomsPort, SocketsPort } from './ports.ts';
import { ProfileChooser } from './profiles.ts';
import { watchUnhinted } from './unhinted.ts';

export interface ReconcilerOptions {
  readonly livekit: RoomsPort & HandOverPorts;
  readonly driver: Driver;
  readonly sockets: SocketsPort;
  readonly profiles: Profiles;
  readonly bounds: LaunchBounds;
  readonly resyncMs: number;
  readonly taskLivekitUrl: string;
  readonly taskEnv: (key: TaskKey) => Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1): makes the keys of standbys. */
  readonly random: () => number;
}

/** What a webhook tells about a room. */
export interface RoomNews {
  readonly event: string;
  readonly roomName: string;
  readonly sid: string;
  /** Who was in it then, agents left out. */
  readonly participants?: number;
  readonly participant?: {
    readonly identity: string;
    readonly kind: 'agent' | 'other';
    readonly taskKey?: string;
    readonly disconnectReason?: number;
  };
}

/** How long an orderly end waits for what is under way. */
const STOP_TIMEOUT_MS = 10_000;
/** Webhooks that tell of life in a room. */
const LIVELY = new Set(['room_started', 'participant_joined']);
const LEAVES = new Set(['participant_left', 'participant_connection_aborted']);

export type StopAnswer = 'accepted' | 'unknown' | 'nothing-to-stop';

export class Reconciler {
  readonly memory = new Memory();
  readonly observer: Observer;
  readonly handOver: HandOver;
  readonly livekitOutage: Outage;
  readonly engineOutage: Outage;
  readonly #options: ReconcilerOptions;
  readonly #loop: Loop;
  readonly #limits: LaunchLimits;
  readonly #chooser: ProfileChooser;
  readonly #pool: Pool;
  #watch: AsyncDisposable | undefined;

  constructor(options: ReconcilerOptions) {
    this.#options = options;
    const { clock, log, livekit, bounds } = options;
    const { memory } = this;
    const expectations = new Expectations();
    const limits = new LaunchLimits(bounds);
    this.#limits = limits;
    this.livekitOutage = new Outage('LiveKit', clock, log);
    this.engineOutage = new Outage('the engine', clock, log);
    const { livekitOutage, engineOutage } = this;
    const outages = { livekitOutage, engineOutage };
    const chooser = new ProfileChooser(options.profiles, log);
    this.#chooser = chooser;
    const tasksChanged = (sids: ReadonlySet<RoomSid>, standbys: boolean) => {
      this.#loop.nudgeSids(sids);
      if (standbys) this.#pool.nudge();
    };
    const known = { ...options, ...outages, chooser, memory, expectations, limits };
    const observer = new Observer({ ...known, tasksChanged });
    this.observer = observer;
    const nudge = (name: string) => this.#loop.nudge(name);
    const turnFree = () => this.#loop.nudgeWaiting();
    const shared = { ...known, observer, nudge, turnFree };
    const launches = new Launches(shared);
    const isReady = (key: TaskKey) => this.#pool.isReady(key);
    const standbyFree = () => this.#pool.nudge();
    const applier = new Applier({ ...shared, launches, isReady, standbyFree });
    const readyStandby = (profile: string, room: RoomMemory) => this.#pool.ready(profile, room);
    const agentJoined = (key: TaskKey) => this.#agentJoined(key);
    const pass = new Pass({ ...shared, applier, readyStandby, agentJoined });
    const { listLagMs } = options.driver.traits;
    this.#loop = new Loop({ ...shared, listLagMs, applier, pass });
    this.#pool = new Pool({ ...shared, launches, applier });
    this.handOver = new HandOver({ ...shared, livekit });
  }

  /** The profile that the room has now. */
  profileOf(room: RoomMemory): Profile {
    return this.#chooser.of(room);
  }

  /** Can this standby take a room now? Null: it is none, or has one. */
  isReadyStandby(key: TaskKey): boolean | null {
    return this.memory.standbys.idle.has(key) ? this.#pool.isReady(key) : null;
  }

  /** Runs the first full pass and goes on from there; resolves after the first, well or not. */
  async start(): Promise<void> {
    await this.#loop.start();
    this.#pool.nudge();
    const { driver, clock } = this.#options;
    const nudge = () => this.#loop.nudgeTasks();
    const tasks = () => this.observer.allTasks();
    this.#watch = driver.watch?.(nudge) ?? watchUnhinted(tasks, nudge, clock);
  }

  /** Finishes the passes that run; tasks go on without this launcher. */
  async stop(): Promise<void> {
    await this.#watch?.[Symbol.asyncDispose]();
    const stopped = Promise.all([this.#pool.stop(), this.#loop.stop()]);
    const late = new AbortController();
    await Promise.race([stopped, delay(this.#options.clock, STOP_TIMEOUT_MS, late.signal)]);
    late.abort();
  }

  /** Takes in a webhook. Only takes note: it may be late, doubled, out of order, or untrue by now. */
  heard(news: RoomNews): void {
    const { memory } = this;
    const nowMs = this.#options.clock.nowMs();
    const sid = news.sid as RoomSid;
    const { participant } = news;
    if (news.participants !== undefined) memory.noteParticipants(sid, news.participants);
    if (participant && !this.#concernsUs(sid, participant)) return;
    if (news.event === 'room_finished') memory.noteFinished(sid, news.roomName, nowMs);
    else memory.noteNudge(sid, news.roomName, LIVELY.has(news.event), nowMs);
    const { taskKey = '', disconnectReason = 0 } = participant ?? {};
    // What an agent shows of itself never touches another room's task.
    const own = isTaskKey(taskKey) && memory.sidOf(taskKey) === sid ? taskKey : null;
    if (own !== null && LEAVES.has(news.event)) memory.noteLeave(own, disconnectReason, nowMs);
    // LiveKit tells of a participant once its media can flow.
    if (own !== null && news.event === 'participant_joined') {
      const { log } = this.#options;
      tellActive(own, 'webhook', { memory, log, agentJoined: (key) => this.#agentJoined(key) });
    }
    this.#loop.nudge(news.roomName);
  }

  /** The gateway saw a task's socket change: it registered, was offered its job, or hung up. */
  socketChanged(key: TaskKey, change: SocketChange): void {
    const sid = parseRoomKey(key)?.sid;
    const known = this.memory.tasks.get(key);
    if (known && change === 'registered') known.waitsHere = !known.assigned;
    else if (known && change === 'closed') known.waitsHere = false;
    else if (change === 'assigned') noteAssigned(this.memory, key);
    if (sid === undefined) this.#pool.socketChanged(key, change);
    else if (this.#limits.settled(sid)) this.#loop.nudgeWaiting();
    this.#loop.nudgeTasks();
  }

  /** An operator ends the run of the live room of this sid, or else of this name. */
  stopRoom(nameOrSid: string): StopAnswer {
    const { memory } = this;
    // A room can be called as another's sid is; who gives a sid means that one life.
    const bySid = memory.rooms.get(nameOrSid as RoomSid);
    const rooms = [...(bySid ? [bySid] : []), ...memory.named(nameOrSid)];
    const room = rooms.find((each) => !isGone(each));
    if (!room) return 'unknown';
    const live = this.observer.tasksOf(room.sid).filter((task) => task.phase !== 'ended');
    if (room.stopped || room.failed || (live.length === 0 && room.state === 'served')) {
      return 'nothing-to-stop';
    }
    room.stopped = true;
    for (const task of live) memory.task(task.key).stopAsked = true;
    this.#loop.nudgeSids([room.sid]);
    return 'accepted';
  }

  /** An operator ends one task. */
  stopTask(key: string): StopAnswer {
    const task = isTaskKey(key) ? this.observer.task(key) : null;
    if (!task) return 'unknown';
    if (task.phase === 'ended') return 'nothing-to-stop';
    this.memory.task(task.key).stopAsked = true;
    const sid = this.memory.sidOf(task.key);
    if (sid === null) this.#pool.nudge();
    else this.#loop.nudgeSids([sid]);
    return 'accepted';
  }

  /** A room has its agent: the standby that it took can be replaced. */
  #agentJoined(key: TaskKey): void {
    if (isStandbyKey(key)) this.#pool.nudge();
  }

  /** Our agents' comings and goings, and anybody's in a room that was not heard of. */
  #concernsUs(sid: RoomSid, { identity, kind }: NonNullable<RoomNews['participant']>): boolean {
    if (kind === 'agent' && identity === agentIdentity(sid)) return true;
    return (this.memory.rooms.get(sid)?.lastListedAtMs ?? null) === null;
  }
}
