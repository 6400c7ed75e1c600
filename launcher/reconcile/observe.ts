/**
 * The newest of what LiveKit and the engine list, and when each look began.
 *
 * "Newer than" is told by a counter, not by the clock: two things can happen within one millisecond.
 * Whoever learned of something at `turn()` and must not act on an older list asks for one begun
 * later. Each look is noted in memory; a failed one changes nothing but the outage's state.
 */
import type { KeyedTask } from '../core/action.ts';
import type { Expectations } from '../core/expectations.ts';
import { isStandbyKey } from '../core/key.ts';
import type { Memory } from '../core/memory.ts';
import type { Participant, Room, RoomSid } from '../core/room.ts';
import { believed, changedKeys, NO_LIST, type TaskList } from '../core/task-list.ts';
import type { Driver, ObservedTask, TaskKey } from '../driver.ts';
import { within } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';
import type { Outage } from '../lib/outage.ts';
import type { RoomsPort } from './ports.ts';

/** How long a list may take; after that it counts as failed. */
const LIST_TIMEOUT_MS = 60_000;
const LOOK_TIMEOUT_MS = 10_000;

export interface ObserverParts {
  readonly livekit: RoomsPort;
  readonly driver: Driver;
  readonly memory: Memory;
  readonly expectations: Expectations;
  readonly clock: Clock;
  readonly livekitOutage: Outage;
  readonly engineOutage: Outage;
  /** Called with what changed from one list to the next: the rooms, and whether standbys did. */
  readonly tasksChanged: (sids: ReadonlySet<RoomSid>, standbys: boolean) => void;
}

export class Observer {
  readonly #parts: ObserverParts;
  #turn = 0;
  #rooms: { readonly begun: number; readonly byName: ReadonlyMap<string, readonly Room[]> } | null =
    null;
  #tasks: {
    readonly begun: number;
    readonly begunAtMs: number;
    readonly list: TaskList;
    /** Those whose keys name a room; a standby's room can change from one list to the next. */
    readonly bySid: ReadonlyMap<RoomSid, readonly KeyedTask[]>;
  } = { begun: 0, begunAtMs: 0, list: NO_LIST, bySid: new Map() };
  #listing: { readonly begun: number; readonly done: Promise<void> } | null = null;

  constructor(parts: ObserverParts) {
    this.#parts = parts;
  }

  /** Marks an instant: a list begun later than it carries a higher mark. */
  turn(): number {
    return (this.#turn += 1);
  }

  /** All rooms. Rejects when LiveKit does not answer. */
  async listAllRooms(): Promise<readonly Room[]> {
    const begun = this.turn();
    const rooms = await this.#livekit(null, LIST_TIMEOUT_MS);
    const byName = new Map<string, Room[]>();
    for (const room of rooms) byName.set(room.name, [...(byName.get(room.name) ?? []), room]);
    if (begun > (this.#rooms?.begun ?? 0)) this.#rooms = { begun, byName };
    return rooms;
  }

  /** The rooms of one name, by a list begun after `sinceTurn`. Rejects as `listAllRooms` does. */
  async roomsNamed(name: string, sinceTurn: number): Promise<readonly Room[]> {
    if (this.#rooms && this.#rooms.begun > sinceTurn) return this.#rooms.byName.get(name) ?? [];
    return this.#livekit(name, LOOK_TIMEOUT_MS);
  }

  /** Null when LiveKit did not say. */
  async participants(name: string): Promise<readonly Participant[] | null> {
    const { livekit, livekitOutage, clock } = this.#parts;
    try {
      return await within(clock, LOOK_TIMEOUT_MS, (signal) =>
        livekit.listParticipants(name, signal),
      );
    } catch (error) {
      livekitOutage.failed(reasonOf(error));
      return null;
    }
  }

  /** Brings the list of tasks up to one begun after `sinceTurn`. Rejects when the engine is away. */
  async freshTasks(sinceTurn: number): Promise<void> {
    while (this.#tasks.begun <= sinceTurn) {
      this.#listing ??= this.#listTasks(this.turn());
      await this.#listing.done;
    }
  }

  /** When the newest list of tasks began; 0 before the first. */
  get tasksBegun(): number {
    return this.#tasks.begun;
  }

  get tasksBegunAtMs(): number {
    return this.#tasks.begunAtMs;
  }

  /** Tasks of one room, with launches that the list does not show yet. */
  tasksOf(sid: RoomSid): readonly KeyedTask[] {
    const { memory } = this.#parts;
    const { list, bySid } = this.#tasks;
    const { byKey } = list;
    const standbys = [...memory.standbys.of(sid)].flatMap((key) => byKey.get(key) ?? []);
    const pending = this.#pending(memory.rooms.get(sid)?.keys ?? []);
    return [...(bySid.get(sid) ?? []), ...standbys, ...pending];
  }

  /** One task, listed or promised. */
  task(key: TaskKey): KeyedTask | null {
    return this.#tasks.list.byKey.get(key) ?? this.#parts.expectations.get(key);
  }

  /** All tasks, damaged ones and those that the list does not show yet included. */
  allTasks(): readonly ObservedTask[] {
    return [...this.#tasks.list.all, ...this.#pending(this.#parts.expectations.keys())];
  }

  /** Rooms that have tasks. */
  sidsWithTasks(): ReadonlySet<RoomSid> {
    return new Set([...this.#tasks.bySid.keys(), ...this.#parts.memory.standbys.sids()]);
  }

  /** Of these keys, the tasks that are promised and that the list does not show yet. */
  #pending(keys: Iterable<TaskKey>): KeyedTask[] {
    const { byKey } = this.#tasks.list;
    return [...keys].flatMap((key) =>
      byKey.has(key) ? [] : (this.#parts.expectations.get(key) ?? []),
    );
  }

  async #livekit(name: string | null, timeoutMs: number): Promise<readonly Room[]> {
    const { livekit, livekitOutage, memory, clock } = this.#parts;
    const begunAtMs = clock.nowMs();
    try {
      const rooms = await within(clock, timeoutMs, (signal) =>
        livekit.listRooms(signal, name ?? undefined),
      );
      livekitOutage.succeeded();
      memory.noteLiveKit(true, clock.nowMs());
      memory.noteRooms(rooms, name, begunAtMs);
      return rooms;
    } catch (error) {
      livekitOutage.failed(reasonOf(error));
      memory.noteLiveKit(false, begunAtMs);
      throw error;
    }
  }

  #listTasks(begun: number): { begun: number; done: Promise<void> } {
    const done = this.#readTasks(begun).finally(() => {
      this.#listing = null;
    });
    return { begun, done };
  }

  async #readTasks(begun: number): Promise<void> {
    const { driver, engineOutage, memory, expectations, clock, tasksChanged } = this.#parts;
    const begunAtMs = clock.nowMs();
    let tasks: readonly ObservedTask[];
    try {
      tasks = await within(clock, LIST_TIMEOUT_MS, (signal) => driver.list(signal));
      engineOutage.succeeded();
    } catch (error) {
      engineOutage.failed(reasonOf(error));
      throw error;
    }
    memory.noteTasks(tasks, clock.nowMs());
    const lost = expectations.settle(tasks, begunAtMs, driver.traits.listLagMs);
    const { list: before } = this.#tasks;
    const { list, vanished } = believed(before, tasks, begunAtMs, driver.traits.listLagMs);
    memory.noteVanished([...lost, ...vanished], clock.nowMs());
    const sidOf = (key: TaskKey) => memory.sidOf(key);
    const ofRooms = [...list.byKey.values()].filter(({ key }) => !isStandbyKey(key));
    this.#tasks = { begun, begunAtMs, list, bySid: groupBySid(ofRooms, sidOf) };
    const changed = changedKeys(before, list);
    const sids = new Set(changed.map(sidOf).filter((sid) => sid !== null));
    tasksChanged(sids, changed.some(isStandbyKey));
  }
}

function groupBySid(
  tasks: readonly KeyedTask[],
  sidOf: (key: TaskKey) => RoomSid | null,
): Map<RoomSid, KeyedTask[]> {
  const bySid = new Map<RoomSid, KeyedTask[]>();
  for (const task of tasks) {
    const sid = sidOf(task.key);
    if (sid !== null) bySid.set(sid, [...(bySid.get(sid) ?? []), task]);
  }
  return bySid;
}
