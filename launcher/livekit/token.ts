/**
 * The token with which an agent joins its room: for that one room, for ten minutes, and with no
 * right beyond what the worker asked for. LiveKit renews a connected client's token by itself, so
 * the ten minutes only have to cover start-up and joining.
 */
import { AccessToken } from 'livekit-server-sdk';
import { agentIdentity, type RoomSid, TASK_ATTRIBUTE } from '../core/room.ts';
import type { Secret } from '../lib/secret.ts';

const TTL_SECONDS = 600;
/** A call is made at once; the rest is for clocks that differ. */
const CALL_TTL_SECONDS = 60;

export interface ApiKeyPair {
  readonly apiKey: string;
  readonly apiSecret: Secret;
}

/** What a worker may ask for when it registers or accepts its job. */
export interface AgentPermissions {
  readonly canPublish: boolean;
  readonly canSubscribe: boolean;
  readonly canPublishData: boolean;
  readonly canUpdateMetadata: boolean;
  readonly hidden: boolean;
}

export interface RoomTokenRequest {
  readonly sid: RoomSid;
  readonly roomName: string;
  readonly taskKey: string;
  readonly agentName: string;
  /** Without them: everything that an agent usually needs, and visible. */
  readonly permissions?: AgentPermissions;
  readonly participantName?: string;
  readonly participantMetadata?: string;
  /** The worker's own attributes; those that name the agent and the task are set over them. */
  readonly participantAttributes?: Readonly<Record<string, string>>;
}

/** What LiveKit's room service wants a token to grant, by method. It binds `roomAdmin` to a room. */
export type CallGrant = 'roomAdmin' | 'roomCreate' | 'roomList';

const USUAL: AgentPermissions = {
  canPublish: true,
  canSubscribe: true,
  canPublishData: true,
  canUpdateMetadata: true,
  hidden: false,
};

/**
 * Signs the token. The participant's kind alone makes it an agent for LiveKit's clients; the grants
 * `agent` (register as a worker, take any room's job) and `roomAdmin` are never given.
 */
export function roomToken(pair: ApiKeyPair, request: RoomTokenRequest): Promise<string> {
  const permissions = request.permissions ?? USUAL;
  const token = new AccessToken(pair.apiKey, pair.apiSecret.reveal(), {
    identity: agentIdentity(request.sid),
    ttl: TTL_SECONDS,
    attributes: {
      ...request.participantAttributes,
      // LiveKit's server reads the first, its JavaScript framework the second.
      'lk.agent_name': request.agentName,
      'lk.agent.name': request.agentName,
      [TASK_ATTRIBUTE]: request.taskKey,
    },
    ...(request.participantName !== undefined && { name: request.participantName }),
    ...(request.participantMetadata !== undefined && { metadata: request.participantMetadata }),
  });
  token.kind = 'agent';
  token.addGrant({
    roomJoin: true,
    room: request.roomName,
    canPublish: permissions.canPublish,
    canSubscribe: permissions.canSubscribe,
    canPublishData: permissions.canPublishData,
    canUpdateOwnMetadata: permissions.canUpdateMetadata,
    hidden: permissions.hidden,
  });
  return token.toJwt();
}

/** Signs the token for one call of LiveKit's room service. It never leaves the launcher. */
export function callToken(pair: ApiKeyPair, grant: CallGrant, roomName: string): Promise<string> {
  const token = new AccessToken(pair.apiKey, pair.apiSecret.reveal(), { ttl: CALL_TTL_SECONDS });
  token.addGrant({ [grant]: true, room: roomName });
  return token.toJwt();
}
