/**
 * LiveKit as it truly is, in memory: rooms, who sits in them, and what its lists show of that. It
 * never fails here; calls fail on their way (`process.ts`), webhooks on theirs (`world.ts`).
 */
import { Room as RoomInfo } from '@livekit/protocol';
import {
  agentIdentity,
  TASK_ATTRIBUTE,
  type Participant,
  type Room,
  type RoomSid,
} from '../../launcher/core/room.ts';
import type { TaskKey } from '../../launcher/driver.ts';
import type { RoomNews } from '../../launcher/reconcile/reconciler.ts';

/** LiveKit's DisconnectReason. */
export const LEFT = { client: 1, displaced: 2, restart: 3, removed: 4, roomOver: 5, lost: 0 };

/** An agent's place in a room. */
export interface Seat {
  readonly room: SimRoom;
  readonly identity: string;
  readonly taskKey: TaskKey;
  readonly sinceMs: number;
  untilMs: number;
  /** LiveKit ends it: another of the same identity came, or the room is over. */
  readonly onKick: (reason: 'displaced' | 'room-over' | 'restart') => void;
}

export interface SimRoom {
  readonly sid: RoomSid;
  readonly name: string;
  readonly openedAtMs: number;
  closedAtMs: number;
  /** Somebody other than an agent came. */
  visited: boolean;
  /** Past ones too, so that lists can lag. */
  readonly seats: Seat[];
}

export interface SimLiveKitParts {
  readonly nowMs: () => number;
  readonly showLagMs: number;
  readonly hideLagMs: number;
  readonly seatLagMs: number;
  readonly send: (news: RoomNews) => void;
}

export class SimLiveKit {
  readonly #parts: SimLiveKitParts;
  readonly #live = new Map<string, SimRoom>();
  /** The newest lives of each sid, for lists that lag. */
  readonly #all = new Map<RoomSid, SimRoom>();
  #lastSid = 0;

  constructor(parts: SimLiveKitParts) {
    this.#parts = parts;
  }

  /** A room starts; the live one of that name if there is one. `sid`: an old one comes back. */
  open(name: string, sid?: RoomSid): SimRoom {
    const live = this.#live.get(name);
    if (live) return live;
    const room: SimRoom = {
      sid: sid ?? (`RM_${name}${(this.#lastSid += 1)}` as RoomSid),
      name,
      openedAtMs: this.#parts.nowMs(),
      closedAtMs: Infinity,
      visited: false,
      seats: [],
    };
    this.#live.set(name, room);
    this.#all.delete(room.sid);
    this.#all.set(room.sid, room);
    this.#parts.send({ event: 'room_started', roomName: name, sid: room.sid });
    return room;
  }

  close(room: SimRoom): void {
    if (this.#live.get(room.name) !== room) return;
    this.#live.delete(room.name);
    room.closedAtMs = this.#parts.nowMs();
    for (const seat of this.seated(room)) this.#empty(seat, LEFT.roomOver, 'room-over');
    this.#parts.send({ event: 'room_finished', roomName: room.name, sid: room.sid });
  }

  /** The server is killed: its rooms are forgotten, and nobody is told. */
  forget(): SimRoom[] {
    const rooms = [...this.#live.values()];
    this.#live.clear();
    for (const room of rooms) {
      room.closedAtMs = this.#parts.nowMs();
      for (const seat of this.seated(room)) {
        seat.untilMs = room.closedAtMs;
        seat.onKick('restart');
      }
    }
    return rooms;
  }

  /** Newest life of a sid. */
  room(sid: RoomSid): SimRoom | undefined {
    return this.#all.get(sid);
  }

  isLive(sid: RoomSid): boolean {
    return this.#all.get(sid)?.closedAtMs === Infinity;
  }

  live(): SimRoom[] {
    return [...this.#live.values()];
  }

  named(name: string): SimRoom | undefined {
    return this.#live.get(name);
  }

  /** Who sits there now. */
  seated(room: SimRoom): Seat[] {
    return room.seats.filter((seat) => seat.untilMs === Infinity);
  }

  /** A participant with a token for `ofSid` joins; a room that is over begins anew by that. */
  join(name: string, ofSid: RoomSid, { taskKey, onKick }: Pick<Seat, 'taskKey' | 'onKick'>): Seat {
    const room = this.open(name);
    const identity = agentIdentity(ofSid);
    const twin = this.seated(room).find((seat) => seat.identity === identity);
    if (twin) this.#empty(twin, LEFT.displaced, 'displaced');
    const sinceMs = this.#parts.nowMs();
    const seat: Seat = { room, identity, taskKey, sinceMs, untilMs: Infinity, onKick };
    room.seats.push(seat);
    this.#tell('participant_joined', seat);
    return seat;
  }

  leave(seat: Seat, reason: number): void {
    if (seat.untilMs !== Infinity) return;
    seat.untilMs = this.#parts.nowMs();
    this.#tell('participant_left', seat, reason);
  }

  /** What ListRooms shows: late, by as much as its store lags behind. */
  list(name?: string): Room[] {
    const { nowMs, showLagMs, hideLagMs } = this.#parts;
    const atMs = nowMs();
    // By name, as LiveKit stores them: a new life takes its place from the one before.
    const shown = new Map<string, Room>();
    for (const room of this.#all.values()) {
      if (name !== undefined && room.name !== name) continue;
      if (room.openedAtMs + showLagMs > atMs || room.closedAtMs + hideLagMs <= atMs) continue;
      const { sid, openedAtMs: createdAtMs } = room;
      shown.set(room.name, { sid, name: room.name, metadata: '', createdAtMs });
    }
    return [...shown.values()];
  }

  participants(name: string): Participant[] {
    const atMs = this.#parts.nowMs() - this.#parts.seatLagMs;
    const shown = new Map<string, Participant>();
    for (const { identity, taskKey, sinceMs, untilMs } of this.#live.get(name)?.seats ?? []) {
      if (sinceMs > atMs || untilMs <= atMs) continue;
      shown.set(identity, { identity, kind: 'agent', attributes: { [TASK_ATTRIBUTE]: taskKey } });
    }
    return [...shown.values()];
  }

  info(name: string): RoomInfo | null {
    const [room] = this.list(name);
    return room ? new RoomInfo({ sid: room.sid, name }) : null;
  }

  #empty(seat: Seat, reason: number, kick: Parameters<Seat['onKick']>[0]): void {
    seat.untilMs = this.#parts.nowMs();
    this.#tell('participant_left', seat, reason);
    seat.onKick(kick);
  }

  #tell(event: string, { room, identity, taskKey }: Seat, disconnectReason?: number): void {
    const reason = disconnectReason === undefined ? {} : { disconnectReason };
    const participant = { identity, kind: 'agent' as const, taskKey, ...reason };
    this.#parts.send({ event, roomName: room.name, sid: room.sid, participant });
  }
}
