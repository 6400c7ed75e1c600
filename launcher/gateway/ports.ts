/** What the gateway asks of the rest of the launcher; the composition root hands it in. */
import type { Room as RoomInfo } from '@livekit/protocol';
import type { RoomSid } from '../core/room.ts';
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import type { RoomTokenRequest } from '../livekit/token.ts';

/** May a holder of a good credential for this task come in? Answered from memory, at once. */
export type Admission =
  | { readonly answer: 'welcome' }
  /** The room is over or the task has ended: 410. */
  | { readonly answer: 'gone'; readonly reason: string }
  /** No first list yet, or a task that is neither listed nor expected: 503. */
  | { readonly answer: 'not-yet'; readonly reason: string };

/** The look at LiveKit right before a job is offered. */
export type Look =
  /** The room is live and nobody serves it: offer this job. */
  | { readonly decision: 'offer'; readonly job: JobOffer }
  /** The room's agent shows this task's key: it has its job already, offer nothing. */
  | { readonly decision: 'serving'; readonly sid: RoomSid }
  /** A standby that no room has: `offer` will say when one has. */
  | { readonly decision: 'idle'; readonly reason: string }
  /** The room is over: end the task. */
  | { readonly decision: 'gone'; readonly reason: string }
  /** Doubt (LiveKit does not answer, somebody else is present): look again later. */
  | { readonly decision: 'wait'; readonly reason: string };

export interface JobOffer {
  readonly sid: RoomSid;
  /** As LiveKit lists it, without `turnPassword`. */
  readonly room: RoomInfo;
  readonly agentName: string;
  readonly dispatchId: string;
  readonly metadata: string;
}

/** A task's own room, by a look at LiveKit. The reasons are told to the task. */
export type TaskRoom =
  /** Live under this name at this moment. */
  | { readonly answer: 'live'; readonly sid: RoomSid; readonly name: string }
  /** The room is over, the task has ended, or it lost the room to another one. */
  | { readonly answer: 'gone'; readonly reason: string }
  /** Doubt: no room yet, the launcher starts, LiveKit does not answer. */
  | { readonly answer: 'not-yet'; readonly reason: string };

export interface GatewayHost {
  admit(key: TaskKey): Admission;
  look(key: TaskKey, signal: AbortSignal): Promise<Look>;
  /** The room that the task may act on through the server API. */
  roomOf(key: TaskKey, signal: AbortSignal): Promise<TaskRoom>;
  /** Something about this task's socket changed: look at its room. */
  changed(key: TaskKey, change: SocketChange): void;
}

/** What takes a task to its job. */
export interface AssignmentPorts {
  readonly host: Pick<GatewayHost, 'look' | 'changed'>;
  /** Signs the token for one room with the project's key and secret. */
  readonly mintToken: (request: RoomTokenRequest) => Promise<string>;
  /** The real server's URL as tasks see it. */
  readonly taskLivekitUrl: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** `refused`, `expired`: an offer came to nothing, by the worker's word or for want of one. */
export type SocketChange = 'registered' | 'refused' | 'expired' | 'assigned' | 'closed';

/**
 * A task's socket as the planner sees it; `assignment.ts` has the whole story:
 * connecting ─▶ waiting ─▶ offered ─▶ assigned ─▶ ended, where `ended` can follow any state, and an
 * expired or refused offer goes back to waiting. A worker that comes back in mid-job goes from
 * connecting to assigned.
 */
export interface SocketView {
  readonly state: 'connecting' | 'waiting' | 'offered' | 'assigned' | 'ended';
  readonly connectedAtMs: number;
  readonly registeredAtMs?: number;
  /** When this process assigned the job, or learned that the worker has it. */
  readonly assignedAtMs?: number;
}

/** What the rest of the launcher may ask of the gateway. */
export interface Gateway extends AsyncDisposable {
  /** Port that it listens on. */
  readonly port: number;
  /** Open sockets by task. */
  sockets(): ReadonlyMap<TaskKey, SocketView>;
  /** A standby was given a room: looks at it at once, and offers it the job. */
  offer(key: TaskKey): void;
  /**
   * Takes back what was offered to a standby, or is about to be. False: its worker has said yes or
   * has the job, and can be offered nothing more.
   */
  withdraw(key: TaskKey): boolean;
  /**
   * Ends the task's job (JobTermination), now and for a worker that comes back later; nothing is
   * offered to it again. May be repeated. False when no registered socket is open.
   */
  terminate(key: TaskKey): boolean;
  /** How far the task's worker came here, in words for people; reads on after a colon. */
  account(key: TaskKey): string;
}
