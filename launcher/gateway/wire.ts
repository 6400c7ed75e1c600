/**
 * LiveKit's agent-worker protocol on the wire: what the gateway and our runner share.
 *
 * A worker dials `<LIVEKIT_URL>/agent` with a JWT of its key and secret, registers, is offered a job
 * (`availability`), accepts it, and is handed the room's URL and token (`assignment`). Frames are
 * binary protobuf: `WorkerMessage` up, `ServerMessage` down.
 */
import { ServerMessage, WorkerMessage } from '@livekit/protocol';

export type WorkerFrame = WorkerMessage['message'];
export type ServerFrame = ServerMessage['message'];

/**
 * On a dial in mid-job our runner names its job here, so that a gateway that lost its memory never
 * offers a second one. Unmodified workers send `migrateJob` (Python) or nothing (JavaScript).
 */
export const JOB_HEADER = 'x-room-launcher-job';

/**
 * Attribute of the agent's token, and so of its participant: the W3C `traceparent` of its attempt.
 * Only where the launcher sends traces.
 */
export const TRACEPARENT_ATTRIBUTE = 'room-launcher.traceparent';

/** Largest frame that either side takes; a job with its room's metadata stays far below. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** The job id of a task: one job for life, so that the id can be derived from its key. */
export function jobIdOf(taskKey: string): string {
  return `AJ_${taskKey}`;
}

/** Where a worker dials, as LiveKit's own workers work it out from LIVEKIT_URL. */
export function agentUrl(livekitUrl: string): string {
  const url = new URL(livekitUrl);
  url.protocol = url.protocol.replace('http', 'ws');
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/agent`;
  return url.href;
}

export function encodeWorker(message: WorkerFrame): Uint8Array {
  return new WorkerMessage({ message }).toBinary();
}

export function encodeServer(message: ServerFrame): Uint8Array {
  return new ServerMessage({ message }).toBinary();
}

/** Null for bytes that are no `WorkerMessage`, or an empty one. */
export function decodeWorker(bytes: Uint8Array): WorkerFrame | null {
  return decode(() => WorkerMessage.fromBinary(bytes).message);
}

/** Null for bytes that are no `ServerMessage`, or an empty one. */
export function decodeServer(bytes: Uint8Array): ServerFrame | null {
  return decode(() => ServerMessage.fromBinary(bytes).message);
}

function decode<T extends { case: string | undefined }>(read: () => T): T | null {
  try {
    const message = read();
    return message.case === undefined ? null : message;
  } catch {
    return null;
  }
}
