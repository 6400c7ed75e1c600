/** What a worker may send, and when: the one place that judges incoming frames. Pure. */
import { JobType, type RegisterWorkerRequest } from '@livekit/protocol';
import { decodeWorker, type WorkerFrame } from './wire.ts';

/** Why we close a worker's socket: a WebSocket close code and a reason of at most 123 bytes. */
export interface Violation {
  readonly closeCode: number;
  readonly reason: string;
}

export type Judged =
  | { readonly register: RegisterWorkerRequest }
  | { readonly frame: WorkerFrame }
  | { readonly violation: Violation };

/**
 * Judges one frame. The first must be `register`, there is no second one, and only workers for whole
 * rooms are served. LiveKit's server closes on the same faults.
 */
export function judgeFrame(data: unknown, isBinary: boolean, registered: boolean): Judged {
  if (!isBinary || !(data instanceof Uint8Array)) {
    return violation(1003, 'only binary frames are understood');
  }
  const frame = decodeWorker(data);
  if (frame === null) return violation(1007, 'a frame is no WorkerMessage of LiveKit');
  if (frame.case !== 'register') {
    return registered ? { frame } : violation(1002, 'the first message must be register');
  }
  if (registered) return violation(1002, 'a worker registers once');
  if (frame.value.type !== JobType.JT_ROOM) {
    return violation(1008, 'only room workers are served: set the worker type to ROOM (JT_ROOM)');
  }
  return { register: frame.value };
}

function violation(closeCode: number, reason: string): Judged {
  return { violation: { closeCode, reason } };
}
