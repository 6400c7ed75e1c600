/**
 * What LiveKit lists: rooms, their participants and their explicit dispatches. This is the truth
 * about which rooms live; webhooks only say where to look.
 *
 * Nothing is retried here and nothing is kept: the next pass asks again.
 */
import { ParticipantInfo_Kind, Room as RoomInfo } from '@livekit/protocol';
import { AgentDispatchClient, RoomServiceClient, ServerError } from 'livekit-server-sdk';
import type { Participant, Room, RoomSid } from '../core/room.ts';
import { noAnswer, toLiveKitError } from './errors.ts';
import type { ApiKeyPair } from './token.ts';

export interface LiveKitOptions extends ApiKeyPair {
  /** `http(s)://` form. */
  readonly url: string;
  /** Per request. */
  readonly requestTimeoutMs: number;
}

export interface Dispatch {
  readonly dispatchId: string;
  readonly metadata: string;
}

/** Every verb rejects with `LiveKitError`, also soon after `signal` aborts (`unavailable`). */
export interface LiveKit {
  /** All live rooms, or those of one name: none or one, complete in itself. */
  listRooms(signal: AbortSignal, name?: string): Promise<readonly Room[]>;
  /** An unknown room has no participants; LiveKit makes no difference either. */
  listParticipants(name: string, signal: AbortSignal): Promise<readonly Participant[]>;
  /** The whole room as LiveKit lists it, without `turnPassword`; null when it is not live. */
  roomInfo(name: string, signal: AbortSignal): Promise<RoomInfo | null>;
  /**
   * The room's explicit dispatch for this agent name; LiveKit keeps it also without workers. Ask
   * for a room that was just listed: for one that is gone LiveKit waits 3 s and answers 503, which
   * reads as `unavailable`.
   */
  dispatchOf(name: string, agentName: string, signal: AbortSignal): Promise<Dispatch | null>;
}

/** The SDK's own class of LiveKit's room message, of an older copy of the protocol package. */
type SdkRoom = Awaited<ReturnType<RoomServiceClient['listRooms']>>[number];
type SdkParticipant = Awaited<ReturnType<RoomServiceClient['listParticipants']>>[number];

export function createLiveKit(options: LiveKitOptions): LiveKit {
  const secret = options.apiSecret.reveal();
  const sdkOptions = { requestTimeout: options.requestTimeoutMs / 1000 };
  const rooms = new RoomServiceClient(options.url, options.apiKey, secret, sdkOptions);
  const dispatches = new AgentDispatchClient(options.url, options.apiKey, secret, sdkOptions);

  const ask = async <T>(signal: AbortSignal, request: () => Promise<T>): Promise<T> => {
    if (signal.aborted) throw noAnswer(signal, options);
    try {
      return await unlessAborted(signal, request());
    } catch (error) {
      throw signal.aborted ? noAnswer(signal, options) : toLiveKitError(error, options);
    }
  };
  const listDispatches = async (name: string) => {
    try {
      return await dispatches.listDispatch(name);
    } catch (error) {
      // The room has ended and its node still answers.
      if (error instanceof ServerError && error.code === 'not_found') return [];
      throw error;
    }
  };

  return {
    async listRooms(signal, name) {
      const names = name === undefined ? [] : [name];
      const listed = await ask(signal, () => rooms.listRooms(names));
      return listed.map(toRoom).filter((room) => room !== null);
    },
    async listParticipants(name, signal) {
      return (await ask(signal, () => rooms.listParticipants(name))).map(toParticipant);
    },
    async roomInfo(name, signal) {
      const [room] = await ask(signal, () => rooms.listRooms([name]));
      if (!room || !isRoomSid(room.sid)) return null;
      const info = RoomInfo.fromBinary(room.toBinary());
      info.turnPassword = '';
      return info;
    },
    async dispatchOf(name, agentName, signal) {
      const listed = await ask(signal, () => listDispatches(name));
      const found = listed.find(
        (dispatch) => dispatch.agentName === agentName && !isAutomatic(dispatch),
      );
      return found ? { dispatchId: found.id, metadata: found.metadata } : null;
    },
  };
}

/** LiveKit gives every room a dispatch of its own, to workers without a name: nobody asked for it. */
function isAutomatic(dispatch: { readonly agentName: string; readonly metadata: string }): boolean {
  return dispatch.agentName === '' && dispatch.metadata === '';
}

/** A room that is just being made has no sid yet; one that no task key can hold is not LiveKit's. */
function isRoomSid(text: string): text is RoomSid {
  return /^[A-Za-z0-9_]{1,30}$/.test(text);
}

function toRoom(room: SdkRoom): Room | null {
  const { sid, name, metadata, creationTime, creationTimeMs, numParticipants } = room;
  if (!isRoomSid(sid)) return null;
  const createdAtMs = Number(creationTimeMs) || Number(creationTime) * 1000;
  return { sid, name, metadata, createdAtMs, participants: numParticipants };
}

function toParticipant({ identity, kind, attributes }: SdkParticipant): Participant {
  // By name: the enum is of the SDK's copy of the protocol package too.
  const agent = ParticipantInfo_Kind[kind] === 'AGENT';
  return { identity, kind: agent ? 'agent' : 'other', attributes: { ...attributes } };
}

/** The SDK takes no signal: its answer is dropped, and its own time limit ends the request. */
function unlessAborted<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('aborted'));
    signal.addEventListener('abort', abort, { once: true });
    void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
