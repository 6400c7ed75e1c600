/** What the reconciler asks of LiveKit and of the gateway; the composition root hands it in. */
import type { Participant, Room } from '../core/room.ts';
import type { TaskKey } from '../driver.ts';

export interface RoomsPort {
  /** All rooms, or all of one name (complete for that name). Rejects when LiveKit did not answer. */
  listRooms(signal: AbortSignal, name?: string): Promise<readonly Room[]>;
  /** Empty for an unknown room. Rejects when LiveKit did not answer. */
  listParticipants(name: string, signal: AbortSignal): Promise<readonly Participant[]>;
}

export interface SocketsPort {
  /** Ends the task's job (JobTermination); false when it holds no socket. */
  terminate(key: TaskKey): boolean;
  /** A standby was given a room: look at it now, and offer it the job. */
  offer(key: TaskKey): void;
  /** Takes an offer back. False: its worker has said yes, and can be offered nothing more. */
  withdraw(key: TaskKey): boolean;
  /** How far the task's worker came, in words for people; reads on after a colon. */
  account(key: TaskKey): string;
}
