/**
 * The world of one story: LiveKit, an engine, agents in tasks, launcher processes, and all that goes
 * wrong between them, on one clock.
 */
import type { RoomSid } from '../../launcher/core/room.ts';
import { parseRoomKey, roomKey } from '../../launcher/core/key.ts';
import { MemoryEngine, type MemoryTask } from '../../launcher/drivers/memory.ts';
import { isTaskKey, type TaskId, type TaskKey } from '../../launcher/driver.ts';
import type { Log } from '../../launcher/lib/log.ts';
import type { RoomNews } from '../../launcher/reconcile/reconciler.ts';
import { FakeClock } from '../fakes/clock.ts';
import { BAD_FATES, BAD_STANDBY_FATES, SimAgent } from './agent.ts';
import { Dice } from './dice.ts';
import { Faults } from './faults.ts';
import { LEFT, SimLiveKit } from './livekit.ts';
import { Oracle } from './oracle.ts';
import { DEPLOYMENT, SimProcess } from './process.ts';
import type { Item, Story } from './story.ts';

const HOUR_MS = 3_600_000;
/** LiveKit tries a webhook that nobody took once more. */
const WEBHOOK_AGAIN_MS = 1_000;
/** A room that nobody but an agent came to is closed. */
const EMPTY_MS = 20_000;
/** More often than a run may fail. */
const DISPLACED_TIMES = 6;

/** A kill that waits for its moment. */
type Crash = Extract<Item, { kind: 'crash' | 'crash-at-frame' }>;

/** The log of the n-th launcher process, by the story's time. */
export type MakeLog = (nowMs: () => number, process: number) => Log;

export class SimWorld {
  readonly story: Story;
  readonly dice: Dice;
  readonly clock = new FakeClock();
  readonly faults: Faults;
  readonly livekit: SimLiveKit;
  readonly engine: MemoryEngine;
  readonly oracle: Oracle;
  readonly logOf: (process: number) => Log;
  readonly agents = new Map<TaskId, SimAgent>();
  readonly processes: SimProcess[] = [];
  livekitDown = false;
  steps = 0;
  #aheadMs = 0;
  #crash: Crash | null = null;
  readonly #ends = new Map<string, number>();

  constructor(story: Story, logOf: MakeLog) {
    const startMs = this.clock.nowMs();
    this.story = story;
    this.logOf = (process) => logOf(() => this.clock.nowMs() - startMs, process);
    this.dice = new Dice(story.seed);
    this.faults = new Faults(this.dice);
    const nowMs = () => this.clock.nowMs();
    const send = (news: RoomNews) => this.#webhook(news);
    this.livekit = new SimLiveKit({ nowMs, send, ...story.livekit });
    this.engine = new MemoryEngine({
      nowMs,
      listLagMs: story.engine.listLagMs,
      startDelayMs: story.engine.startDelayMs,
      ...(story.engine.forgets && { endedRetentionMs: HOUR_MS }),
      aheadMs: () => this.#aheadMs,
    });
    this.engine.onSigterm = (key) => this.agentOf(key)?.sigterm() ?? { afterMs: 0, code: 143 };
    this.engine.watchers.add(() => this.#engineChanged());
    this.oracle = new Oracle(this);
  }

  /** The launcher that tasks reach now. */
  gateway(): SimProcess | undefined {
    return this.processes.findLast((process) => process.alive && !process.leaving);
  }

  /** The newest agent of a key. */
  agentOf(key: string): SimAgent | undefined {
    return [...this.agents.values()].findLast((agent) => agent.key === key);
  }

  /** The task of a key, if the engine knows it. */
  taskOf(key: string) {
    return [...this.engine.tasks.values()].find((task) => task.key === key);
  }

  start(): SimProcess {
    const process = new SimProcess(this);
    this.processes.push(process);
    void process.reconciler.start();
    return process;
  }

  /** Called around each call and each hand-over of a launcher: an armed crash strikes there. */
  crashPoint(process: SimProcess, at: Crash['at']): void {
    if (this.#crash?.at === at && process.alive) this.#kill(process, this.#crash);
  }

  happen(item: Item): void {
    this.faults.count(item.kind);
    switch (item.kind) {
      case 'room':
        return this.#room(item);
      case 'fault':
        return this.#fault(item);
      case 'crash-at-frame':
        this.#crash = item;
        return;
      case 'crash':
        if (item.at !== 'once') this.#crash = item;
        else if (this.gateway()) this.#kill(this.gateway()!, item);
        return;
      case 'roll-over': {
        const old = this.gateway();
        this.start();
        this.clock.timer(item.overlapMs, () => old?.alive && void old.end());
        return;
      }
      case 'livekit-restart':
        return this.#restartLiveKit(item.downMs);
      case 'stranger':
        return this.#stranger(item.does);
      case 'operator': {
        const room = this.livekit.named(item.name);
        if (this.gateway()?.reconciler.stopRoom(item.name) === 'accepted' && room) {
          this.oracle.operatorStopped(room.sid);
        }
        return;
      }
      case 'clock':
        this.#aheadMs += item.byMs;
    }
  }

  /** Every room ends. */
  closeRooms(): void {
    for (const room of this.livekit.live()) this.livekit.close(room);
  }

  #room({ name, livesMs, again }: Extract<Item, { kind: 'room' }>): void {
    if (this.livekitDown) return;
    const before = again ? this.oracle.lastSid(name) : undefined;
    const room = this.livekit.open(name, before);
    room.visited = true;
    this.clock.timer(livesMs, () => this.livekit.close(room));
  }

  #fault({ fault, chance, forMs }: Extract<Item, { kind: 'fault' }>): void {
    this.faults.open(fault, chance);
    this.clock.timer(forMs, () => {
      this.faults.close(fault, chance);
      this.oracle.disturbed();
    });
  }

  #kill(process: SimProcess, { downMs }: { readonly downMs: number }): void {
    this.#crash = null;
    process.kill();
    this.oracle.disturbed();
    this.clock.timer(downMs, () => this.start());
  }

  #restartLiveKit(downMs: number): void {
    this.livekitDown = true;
    this.faults.open('rooms-fail', 1);
    this.faults.open('participants-fail', 1);
    const forgotten = this.livekit.forget();
    this.clock.timer(downMs, () => {
      this.livekitDown = false;
      this.faults.close('rooms-fail', 1);
      this.faults.close('participants-fail', 1);
      this.oracle.disturbed();
      // Visitors join again; the name gets a new sid.
      for (const { name } of forgotten) {
        if (!this.dice.chance(0.7, 'visitors return')) continue;
        const room = this.livekit.open(name);
        room.visited = true;
        this.clock.timer(60_000, () => this.livekit.close(room));
      }
    });
  }

  #stranger(does: Extract<Item, { kind: 'stranger' }>['does']): void {
    const live = [...this.engine.tasks.values()].filter(
      (task) => task.endsAtMs > this.clock.nowMs(),
    );
    if (live.length === 0) return;
    const task = this.dice.pick(live, 'stranger task');
    if (does === 'twin') return this.#twin(task);
    if (does === 'displace') return this.#displace(task, DISPLACED_TIMES);
    if (does === 'stop') this.engine.stop(task, 10_000);
    else if (does === 'kill') this.engine.finish(task.id, 137);
    else {
      this.engine.tasks.delete(task.id);
      this.engine.changed();
    }
  }

  /** Another launcher of this deployment thought that this room needed a task. */
  #twin({ key, template, env }: MemoryTask): void {
    const of = isTaskKey(key) ? parseRoomKey(key) : null;
    if (!of) return;
    const next = roomKey(of.sid, of.attempt + 1);
    if (this.taskOf(next)) return;
    this.engine.begin(this.engine.create(DEPLOYMENT, next, { template, env }));
  }

  /** Somebody with the agent's identity comes, goes, and comes again to whoever has taken over. */
  #displace(task: MemoryTask, times: number): void {
    const { key } = task;
    const sid = this.oracle.pool.sidOf(task);
    const room = sid && this.livekit.room(sid);
    if (!room || room.closedAtMs !== Infinity || times === 0) return;
    const taskKey = roomKey(room.sid, 999_999);
    const seat = this.livekit.join(room.name, room.sid, { taskKey, onKick: () => {} });
    this.clock.timer(1_000, () => this.livekit.leave(seat, LEFT.client));
    const again = this.taskOf(key);
    if (again) this.clock.timer(20_000, () => this.#displace(again, times - 1));
  }

  /** Sends a webhook on its way: lost, late, doubled, overtaken by a later one. */
  #webhook(news: RoomNews): void {
    if (news.event === 'room_started') this.#opened(news.sid as RoomSid);
    if (this.livekitDown || this.faults.hits('webhook-lost', 'news')) return;
    const copies = this.faults.hits('webhook-twice', 'news') ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const late = this.faults.hits('webhook-late', 'news');
      const afterMs = late ? this.dice.between(100, 30_000, 'late') : 5;
      this.clock.timer(afterMs, () => this.#deliver(news, true));
    }
  }

  #deliver(news: RoomNews, again: boolean): void {
    const up = this.processes.filter((process) => process.alive && !process.leaving);
    if (up.length > 0) {
      const process = this.dice.pick(up, 'webhook target');
      process.reconciler.heard(news);
      this.oracle.told(process, news);
    } else if (again) this.clock.timer(WEBHOOK_AGAIN_MS, () => this.#deliver(news, false));
  }

  #opened(sid: RoomSid): void {
    const room = this.livekit.room(sid);
    if (!room) return;
    this.oracle.opened(room);
    this.clock.timer(EMPTY_MS, () => !room.visited && this.livekit.close(room));
  }

  /** Gives each new task its agent, and each agent its end. */
  #engineChanged(): void {
    for (const task of this.engine.tasks.values()) {
      const { id, key, startsAtMs, endsAtMs } = task;
      if (!this.agents.has(id) && startsAtMs !== Infinity && isTaskKey(key)) {
        const agent = new SimAgent(this, task, key, this.#fate(key));
        this.agents.set(id, agent);
        this.#at(startsAtMs, () => this.#started(agent));
      }
      if (endsAtMs === (this.#ends.get(id) ?? Infinity)) continue;
      this.#ends.set(id, endsAtMs);
      this.#at(endsAtMs, () => task.endsAtMs === endsAtMs && this.#died(id));
    }
    for (const [id, { task }] of this.agents) {
      if (!this.engine.tasks.has(id) && task.endsAtMs === Infinity) this.#died(id);
    }
  }

  #started(agent: SimAgent): void {
    if (!this.#alive(agent)) return;
    this.oracle.started(agent);
    agent.start();
  }

  #died(id: TaskId): void {
    const agent = this.agents.get(id);
    if (!agent) return;
    const { task } = agent;
    if (!this.engine.tasks.has(task.id)) task.endsAtMs = this.clock.nowMs();
    this.oracle.ended(agent);
    agent.died(task.exitCode === 0 || task.exitCode === 143);
  }

  #fate(key: TaskKey): SimAgent['fate'] {
    if (!this.faults.hits('agent-bad', 'fate')) return 'serves';
    const fates = this.story.standby > 0 ? BAD_STANDBY_FATES : BAD_FATES;
    return this.dice.pick<SimAgent['fate']>(fates, `fate ${key}`);
  }

  #alive({ task }: SimAgent): boolean {
    return this.engine.tasks.has(task.id) && task.endsAtMs > this.clock.nowMs();
  }

  /** `Infinity` never comes. */
  #at(atMs: number, then: () => void): void {
    if (atMs === Infinity) return;
    this.clock.timer(atMs - this.clock.nowMs(), then);
  }
}
