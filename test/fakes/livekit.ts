/** LiveKit as the reconciler sees it, in memory: rooms and participants that a test sets. */
import { Room as RoomInfo } from '@livekit/protocol';
import type { Participant, Room, RoomSid } from '../../launcher/core/room.ts';
import { agentIdentity, TASK_ATTRIBUTE } from '../../launcher/core/room.ts';
import type { TaskKey } from '../../launcher/driver.ts';

export class FakeLiveKit {
  readonly rooms = new Map<string, Room>();
  readonly participants = new Map<string, Participant[]>();
  /** Explicit dispatches by room name. */
  readonly dispatches = new Map<string, { dispatchId: string; metadata: string }>();
  /** No call is answered. */
  down = false;
  /** Only participants cannot be listed. */
  participantsDown = false;
  readonly calls: string[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  open(name: string, sid = `RM_${name}`, metadata = ''): RoomSid {
    const room = { sid: sid as RoomSid, name, metadata, createdAtMs: this.#nowMs() };
    this.rooms.set(name, room);
    return room.sid;
  }

  close(name: string): void {
    this.rooms.delete(name);
    this.participants.delete(name);
  }

  /** The agent of this task joins, displacing an earlier one. */
  joins(name: string, key: TaskKey | null): void {
    const { sid } = this.rooms.get(name)!;
    const attributes: Record<string, string> = key === null ? {} : { [TASK_ATTRIBUTE]: key };
    this.participants.set(name, [{ identity: agentIdentity(sid), kind: 'agent', attributes }]);
  }

  leaves(name: string): void {
    this.participants.delete(name);
  }

  async listRooms(_signal: AbortSignal, name?: string): Promise<readonly Room[]> {
    this.#call(name === undefined ? 'ListRooms' : `ListRooms ${name}`);
    return [...this.rooms.values()].filter((room) => name === undefined || room.name === name);
  }

  async listParticipants(name: string): Promise<readonly Participant[]> {
    this.#call(`ListParticipants ${name}`);
    if (this.participantsDown) throw new Error('no answer');
    return this.participants.get(name) ?? [];
  }

  async roomInfo(name: string): Promise<RoomInfo | null> {
    this.#call(`ListRooms ${name}`);
    const room = this.rooms.get(name);
    return room ? new RoomInfo({ sid: room.sid, name, metadata: room.metadata }) : null;
  }

  async dispatchOf(name: string) {
    this.#call(`ListDispatch ${name}`);
    return this.dispatches.get(name) ?? null;
  }

  #call(what: string): void {
    this.calls.push(what);
    if (this.down) throw new Error('LiveKit is away');
  }
}
