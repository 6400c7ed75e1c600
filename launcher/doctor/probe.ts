/**
 * The probe room: a real one, made for a moment and removed again. It shows what no look can: that
 * LiveKit's webhooks arrive, that media flows, and that the launcher brings an agent.
 *
 * A launcher that runs serves it like any other room, which is the point, and why it is asked for.
 */
import { randomBytes } from 'node:crypto';
import { AccessToken, RoomServiceClient } from 'livekit-server-sdk';
import type { Participant, RoomSid } from '../core/room.ts';
import { systemClock } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';
import { toLiveKitError } from '../livekit/errors.ts';
import type { LiveKit, LiveKitOptions } from '../livekit/rooms.ts';
import { type Finding, ok, type Seen, unseen, warning, wrong } from './finding.ts';
import type { Media, TasksPlace } from './tasks-place.ts';

/** Should the doctor be killed, the room ends by itself after this. */
const EMPTY_TIMEOUT_SECONDS = 60;
const REQUEST_TIMEOUT_SECONDS = 10;
const TOKEN_TTL_SECONDS = 60;

export interface ProbeRoom {
  readonly name: string;
  readonly sid: RoomSid;
  readonly createdAtMs: number;
  participants(signal: AbortSignal): Promise<readonly Participant[]>;
  /** Removes it, unless another room has its name by now. Never rejects. */
  remove(): Promise<void>;
}

/** A name that says whose it is, and that no room has. */
export function probeName(): string {
  return `room-launcher-doctor-${randomBytes(4).toString('hex')}`;
}

/** Makes the room; or says why not. Rejects with `LiveKitError`. */
export async function openProbeRoom(
  livekit: LiveKit,
  options: LiveKitOptions,
  { name, metadata }: { readonly name: string; readonly metadata: string },
  signal: AbortSignal,
): Promise<ProbeRoom | Finding> {
  if ((await livekit.listRooms(signal, name)).length > 0) {
    const remedy = 'give a name that no room has';
    return unseen('a room of the name that --room gives is live: it is left alone', remedy);
  }
  const client = new RoomServiceClient(options.url, options.apiKey, options.apiSecret.reveal(), {
    requestTimeout: REQUEST_TIMEOUT_SECONDS,
  });
  const createdAtMs = systemClock.nowMs();
  try {
    const room = await client.createRoom({ name, metadata, emptyTimeout: EMPTY_TIMEOUT_SECONDS });
    const sid = room.sid as RoomSid;
    return {
      name,
      sid,
      createdAtMs,
      participants: (end) => livekit.listParticipants(name, end),
      async remove() {
        try {
          const [now] = await client.listRooms([name]);
          if (now?.sid === sid) await client.deleteRoom(name);
        } catch {
          // It ends by itself once it is empty.
        }
      },
    };
  } catch (error) {
    throw toLiveKitError(error, options);
  }
}

/** Joins the room from where tasks run. */
export async function examineMedia(
  place: TasksPlace,
  room: ProbeRoom,
  options: LiveKitOptions & { readonly taskLivekitUrl: string },
  signal: AbortSignal,
): Promise<Seen<never>> {
  const identity = 'room-launcher-doctor';
  const secret = options.apiSecret.reveal();
  const token = new AccessToken(options.apiKey, secret, { identity, ttl: TOKEN_TTL_SECONDS });
  token.addGrant({ roomJoin: true, room: room.name });
  const url = options.taskLivekitUrl;
  const job = { gateway: null, livekit: null, room: { url, token: await token.toJwt() } };
  const seen = await place.run(job, signal);
  const media = 'unrun' in seen ? null : seen.media;
  return { findings: [mediaFinding(media ?? { missing: true }, place.name)] };
}

/** Pure: what the way of media says. */
export function mediaFinding({ missing, error, protocol }: Media, place: string): Finding {
  if (missing === true) {
    const remedy = 'an agent that comes into the probe room has shown as much: see `agent`';
    return unseen(`${place} has no LiveKit client for Node (@livekit/rtc-node)`, remedy);
  }
  if (error !== undefined) {
    return wrong(
      `${place} cannot join a room: ${reasonOf(error)}`,
      "let UDP pass to the server's `rtc.udp_port` (or its range) and TCP to `rtc.tcp_port`; the " +
        'address that it announces (`rtc.node_ip`, `use_external_ip`) must be one that tasks reach',
    );
  }
  if (protocol === 'udp') return ok(`${place} joins a room, media by UDP`);
  if (protocol == null)
    return ok(`${place} joins a room; its client does not say by which protocol`);
  const remedy =
    "let UDP pass to the server's `rtc.udp_port` (or its range): by TCP, speech stutters";
  return warning(`${place} joins a room, media by ${protocol.toUpperCase()}`, remedy);
}
