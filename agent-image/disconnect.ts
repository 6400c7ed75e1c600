/** What leaving the room means for the task. */
import { DisconnectReason } from '@livekit/protocol';
import { type End, EXIT } from './ends.ts';

/**
 * LiveKit's client gives one of its `DisconnectReason`s with `RoomEvent.Disconnected`; one that this
 * version does not know reads as a lost room.
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
