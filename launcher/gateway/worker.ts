/** A worker as its task's assignment sees it. */
import type { ParticipantPermission } from '@livekit/protocol';
import type { ServerFrame } from './wire.ts';

/** A registered worker, for as long as its socket is open. */
export interface Worker {
  readonly id: string;
  readonly agentName: string;
  readonly permissions: ParticipantPermission | undefined;
  readonly registeredAtMs: number;
  /** The job that it said it is on when it dialled, if it said so. */
  readonly jobId: string | undefined;
  send(frame: ServerFrame): void;
}
