/**
 * The runner's side of the worker protocol: register, take the one job, hear that it is over.
 *
 * The socket brings the job; it does not keep it alive. So a refusal or a long silence decides
 * something only before there is a job: afterwards the room and the launcher's signals do.
 */
import {
  AvailabilityResponse,
  type Job,
  type JobAssignment,
  JobStatus,
  JobType,
  ParticipantPermission,
  RegisterWorkerRequest,
  type ServerMessage,
  UpdateJobStatus,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import {
  agentUrl,
  decodeServer,
  encodeWorker,
  JOB_HEADER,
  jobIdOf,
  type WorkerFrame,
} from '../launcher/gateway/wire.ts';
import { type End, EXIT } from './ends.ts';
import { KeptSocket } from './kept-socket.ts';
import type { RunnerLog } from './log.ts';
import type { Settings } from './start.ts';

/** A standby may wait for its room for hours, but not for a gateway that is gone. */
const WITHOUT_GATEWAY_LIMIT_MS = 600_000;

/** What a refusal by this HTTP status means before there is a job. Null: dial again. */
export function endOfRefusal(status: number): End | null {
  if (status === 410) return { code: EXIT.served, reason: 'room gone before it was joined' };
  if (status === 401) return { code: EXIT.unreachable, reason: 'gateway refused the credential' };
  return null;
}

/** May this task take this job? Only its own, and only one that names its room's sid. */
export function isOurs(job: Job | undefined, taskKey: string): job is Job {
  return job?.id === jobIdOf(taskKey) && job.type === JobType.JT_ROOM && Boolean(job.room?.sid);
}

export interface GatewayHandlers {
  registered(): void;
  /** Called at most once. */
  assigned(assignment: JobAssignment, job: Job, workerId: string): void;
  /** The job is over, or there is none to be had. */
  end(end: End): void;
}

export class GatewayClient {
  readonly #settings: Settings;
  readonly #agentsVersion: string;
  readonly #log: RunnerLog;
  readonly #handlers: GatewayHandlers;
  #patience: NodeJS.Timeout | undefined;
  readonly #socket: KeptSocket;
  #workerId = '';
  #accepted = false;
  #assigned = false;

  /** Dials at once. */
  constructor(
    settings: Settings,
    agentsVersion: string,
    log: RunnerLog,
    handlers: GatewayHandlers,
  ) {
    this.#settings = settings;
    this.#agentsVersion = agentsVersion;
    this.#log = log;
    this.#handlers = handlers;
    this.#alone();
    this.#socket = new KeptSocket(agentUrl(settings.gatewayUrl), log, {
      headers: () => this.#headers(),
      open: () => this.#register(),
      closed: () => this.#alone(),
      frame: (bytes) => this.#receive(bytes && decodeServer(bytes)),
      refused: (status) => this.#refused(status),
    });
  }

  /** Tells the gateway how the job goes. Lost without a socket: the exit code says it as well. */
  report(status: JobStatus, error = ''): void {
    const jobId = jobIdOf(this.#settings.taskKey);
    this.#send({ case: 'updateJob', value: new UpdateJobStatus({ jobId, status, error }) });
  }

  async close(): Promise<void> {
    clearTimeout(this.#patience);
    await this.#socket.close();
  }

  async #headers(): Promise<Record<string, string>> {
    const { taskKey, taskSecret } = this.#settings;
    const token = new AccessToken(taskKey, taskSecret);
    token.addGrant({ agent: true });
    const authorization = `Bearer ${await token.toJwt()}`;
    return this.#assigned ? { authorization, [JOB_HEADER]: jobIdOf(taskKey) } : { authorization };
  }

  /** There is no gateway: without a job that is the end, unless one registers us by then. */
  #alone(): void {
    if (this.#assigned || this.#patience) return;
    const reason = 'no gateway for ten minutes, and no job';
    const end = { code: EXIT.unreachable, reason };
    this.#patience = setTimeout(() => this.#handlers.end(end), WITHOUT_GATEWAY_LIMIT_MS);
  }

  #inCompany(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #refused(status: number): void {
    this.#log.warn('gateway refused the dial', { status });
    const end = this.#assigned ? null : endOfRefusal(status);
    if (end) this.#handlers.end(end);
  }

  #register(): void {
    const allowedPermissions = new ParticipantPermission({
      canPublish: true,
      canSubscribe: true,
      canPublishData: true,
      canUpdateMetadata: true,
    });
    const value = new RegisterWorkerRequest({
      type: JobType.JT_ROOM,
      agentName: this.#settings.agentName,
      version: this.#agentsVersion,
      allowedPermissions,
    });
    this.#send({ case: 'register', value });
  }

  #receive(frame: ServerMessage['message'] | null): void {
    switch (frame?.case) {
      case 'register':
        this.#workerId = frame.value.workerId;
        this.#socket.settled();
        this.#inCompany();
        if (this.#assigned) this.report(JobStatus.JS_RUNNING);
        return this.#handlers.registered();
      case 'availability':
        return this.#answer(frame.value.job);
      case 'assignment':
        return this.#take(frame.value);
      case 'termination':
        if (frame.value.jobId !== jobIdOf(this.#settings.taskKey)) return;
        return this.#handlers.end({ code: EXIT.served, reason: 'ended by the launcher' });
      case 'pong':
        return;
      default:
        this.#log.warn('gateway sent what is not of the worker protocol');
    }
  }

  #answer(job: Job | undefined): void {
    const available = !this.#assigned && isOurs(job, this.#settings.taskKey);
    this.#accepted ||= available;
    const value = new AvailabilityResponse({ jobId: job?.id ?? '', available });
    this.#send({ case: 'availability', value });
  }

  #take(assignment: JobAssignment): void {
    const { job } = assignment;
    if (!this.#accepted || this.#assigned || !isOurs(job, this.#settings.taskKey)) return;
    this.#assigned = true;
    this.#inCompany();
    this.#handlers.assigned(assignment, job, this.#workerId);
  }

  #send(frame: WorkerFrame): void {
    this.#socket.send(encodeWorker(frame));
  }
}
