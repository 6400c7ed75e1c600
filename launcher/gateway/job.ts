/**
 * What a hand-over is made of: the messages, in the shape that LiveKit's server gives them, and the
 * request for the room's token.
 *
 * Workers read a job's id and room from the offer and only url and token from the assignment, so
 * both carry the same job.
 */
import {
  AvailabilityRequest,
  type AvailabilityResponse,
  Job,
  JobAssignment,
  JobState,
  JobStatus,
  JobTermination,
  JobType,
  RegisterWorkerResponse,
  Room,
  ServerInfo,
  ServerInfo_Edition,
  type WorkerPing,
  WorkerPong,
} from '@livekit/protocol';
import type { TaskKey } from '../driver.ts';
import type { RoomTokenRequest } from '../livekit/token.ts';
import type { JobOffer } from './ports.ts';
import { jobIdOf, type ServerFrame } from './wire.ts';
import type { Worker } from './worker.ts';

/** LiveKit's agent protocol and client protocol versions that workers are told. */
const AGENT_PROTOCOL = 1;
const CLIENT_PROTOCOL = 16;

/** The answer to `register`; LiveKit's workers want it before any other message. */
export function registered(workerId: string): ServerFrame {
  const serverInfo = new ServerInfo({
    edition: ServerInfo_Edition.Standard,
    version: '1.0.0',
    protocol: CLIENT_PROTOCOL,
    agentProtocol: AGENT_PROTOCOL,
    nodeId: 'room-launcher',
  });
  return { case: 'register', value: new RegisterWorkerResponse({ workerId, serverInfo }) };
}

export function pong(ping: WorkerPing, nowMs: number): ServerFrame {
  const value = new WorkerPong({ lastTimestamp: ping.timestamp, timestamp: BigInt(nowMs) });
  return { case: 'pong', value };
}

/** The task's one job. `turnPassword` never gets into a container, whoever made the offer. */
export function jobFor(key: TaskKey, offer: JobOffer, workerId: string, nowMs: number): Job {
  const room = new Room(offer.room);
  room.turnPassword = '';
  const nowNs = BigInt(nowMs) * 1_000_000n;
  return new Job({
    id: jobIdOf(key),
    type: JobType.JT_ROOM,
    room,
    dispatchId: offer.dispatchId,
    metadata: offer.metadata,
    agentName: offer.agentName,
    state: new JobState({
      status: JobStatus.JS_RUNNING,
      startedAt: nowNs,
      updatedAt: nowNs,
      workerId,
    }),
  });
}

export function availability(job: Job): ServerFrame {
  return { case: 'availability', value: new AvailabilityRequest({ job, resuming: false }) };
}

/** `url` is the real server's: LiveKit leaves it out, a worker would then dial the gateway. */
export function assignment(job: Job, url: string, token: string): ServerFrame {
  return { case: 'assignment', value: new JobAssignment({ job, url, token }) };
}

export function termination(key: TaskKey): ServerFrame {
  return { case: 'termination', value: new JobTermination({ jobId: jobIdOf(key) }) };
}

/**
 * The room token's request. The identity that the worker answers with is not used: ours is derived
 * from the room. Without an agent name in the offer the worker's own is shown, as LiveKit does.
 */
export function tokenRequest(
  key: TaskKey,
  offer: JobOffer,
  worker: Pick<Worker, 'agentName' | 'permissions'>,
  answer: AvailabilityResponse,
): RoomTokenRequest {
  return {
    sid: offer.sid,
    roomName: offer.room.name,
    taskKey: key,
    agentName: offer.agentName || worker.agentName,
    ...(worker.permissions && { permissions: worker.permissions }),
    ...(answer.participantName && { participantName: answer.participantName }),
    ...(answer.participantMetadata && { participantMetadata: answer.participantMetadata }),
    participantAttributes: answer.participantAttributes,
  };
}
