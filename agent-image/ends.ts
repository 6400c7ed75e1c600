/**
 * How a task can end, and the exit code by which the launcher reads it. The code is all that
 * survives the process, so every end has exactly one, decided here.
 */
import { DisconnectReason } from '@livekit/protocol';

export const EXIT = {
  /** The job is done: ended by its agent, its room, its removal or the launcher. */
  served: 0,
  /** The agent's own code failed. */
  agentFailed: 1,
  /** Agent file or environment cannot work; another try would not help. */
  badStart: 64,
  /** Could not get, join or keep the room; another try may. */
  unreachable: 75,
  /** A newer participant took this agent's identity. */
  displaced: 76,
  /** SIGTERM before anything else had ended the job. */
  sigterm: 143,
} as const;

export interface End {
  readonly code: (typeof EXIT)[keyof typeof EXIT];
  /** For the log: no room name, no identity, no text of the user's. */
  readonly reason: string;
}

/** The one end of this process: the first reason wins, what comes later changes nothing. */
export class Ending {
  readonly reached: Promise<End>;
  #end: End | null = null;
  #settle: (end: End) => void = () => {};

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** False when the end was already decided. */
  end(end: End): boolean {
    if (this.#end) return false;
    this.#end = end;
    this.#settle(end);
    return true;
  }

  get decided(): boolean {
    return this.#end !== null;
  }
}

/**
 * What leaving the room means. LiveKit's client gives one of its `DisconnectReason`s with
 * `RoomEvent.Disconnected`; one that this version does not know reads as a lost room.
 */
export function endOfDisconnect(reason: number): End {
  const name = DisconnectReason[reason] ?? String(reason);
  switch (name) {
    case 'ROOM_CLOSED':
    case 'ROOM_DELETED':
      return { code: EXIT.served, reason: 'room ended' };
    case 'PARTICIPANT_REMOVED':
      return { code: EXIT.served, reason: 'removed from the room' };
    case 'CLIENT_INITIATED':
      return { code: EXIT.served, reason: 'agent left the room' };
    case 'DUPLICATE_IDENTITY':
      return { code: EXIT.displaced, reason: 'displaced by a newer agent' };
    default:
      return { code: EXIT.unreachable, reason: `room lost: ${name}` };
  }
}
