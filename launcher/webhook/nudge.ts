/**
 * What a webhook means for the launcher: look at this room. It is a hint, never the truth, and only
 * five kinds of event are worth a look.
 */
import { DisconnectReason, ParticipantInfo_Kind } from '@livekit/protocol';
import type { WebhookEvent } from 'livekit-server-sdk';

const NUDGING_EVENTS = [
  'room_started',
  'room_finished',
  'participant_joined',
  'participant_left',
  'participant_connection_aborted',
] as const;

export type NudgingEvent = (typeof NUDGING_EVENTS)[number];

export interface WebhookNudge {
  readonly event: NudgingEvent;
  readonly roomName: string;
  readonly sid: string;
  /** Who was in the room when LiveKit made the event, agents left out. */
  readonly participants: number;
  /** Who joined or left. */
  readonly participant?: NudgeParticipant;
  /** When LiveKit made the event; it counts whole seconds. */
  readonly createdAtMs: number;
}

export interface NudgeParticipant {
  readonly identity: string;
  readonly kind: 'agent' | 'other';
  /** The task that it claims to be. */
  readonly taskKey?: string;
  /** LiveKit's DisconnectReason, when it has left and LiveKit knows why. */
  readonly disconnectReason?: number;
}

/** Null for an event that tells nothing about a room's life. */
export function toNudge(event: WebhookEvent, taskAttribute: string): WebhookNudge | null {
  const name = NUDGING_EVENTS.find((nudging) => nudging === event.event);
  if (!name || !event.room?.sid || !event.room.name) return null;
  return {
    event: name,
    roomName: event.room.name,
    sid: event.room.sid,
    participants: event.room.numParticipants,
    createdAtMs: Number(event.createdAt) * 1000,
    ...(event.participant && { participant: toParticipant(event.participant, taskAttribute) }),
  };
}

function toParticipant(
  info: NonNullable<WebhookEvent['participant']>,
  taskAttribute: string,
): NudgeParticipant {
  const taskKey = info.attributes[taskAttribute];
  const reason: number = info.disconnectReason;
  const known = DisconnectReason[reason] !== 'UNKNOWN_REASON';
  return {
    identity: info.identity,
    kind: ParticipantInfo_Kind[info.kind] === 'AGENT' ? 'agent' : 'other',
    ...(taskKey !== undefined && { taskKey }),
    ...(known && { disconnectReason: reason }),
  };
}
