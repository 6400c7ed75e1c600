/**
 * A gateway that does what a test tells it, and polices its caller: what a worker must not do
 * lands in `complaints`, which a test expects to be empty.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  AvailabilityRequest,
  type AvailabilityResponse,
  Job,
  JobAssignment,
  type JobStatus,
  JobTermination,
  JobType,
  type RegisterWorkerRequest,
  RegisterWorkerResponse,
  Room,
  ServerInfo,
} from '@livekit/protocol';
import { TokenVerifier } from 'livekit-server-sdk';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  decodeWorker,
  encodeServer,
  JOB_HEADER,
  jobIdOf,
  type ServerFrame,
  type WorkerFrame,
} from '../../launcher/gateway/wire.ts';
import { waitFor } from '../support/wait.ts';

export interface FakeJob {
  readonly url: string;
  readonly token: string;
  readonly room: { readonly sid: string; readonly name: string };
  readonly metadata?: string;
}

export class FakeGateway implements AsyncDisposable {
  readonly taskKey: string;
  readonly taskSecret = 'the-secret-of-this-task-0123456789abcdef';
  readonly complaints: string[] = [];
  readonly lines: FakeLine[] = [];
  /** HTTP status by which dials are refused from now on. */
  refuseWith: number | null = null;
  refused = 0;
  readonly #http: Server = createServer();
  readonly #sockets = new WebSocketServer({ noServer: true });

  private constructor(taskKey: string) {
    this.taskKey = taskKey;
    this.#http.on('upgrade', (request, socket, head) => {
      void this.#upgrade(request, socket, head);
    });
  }

  static async start(taskKey: string): Promise<FakeGateway> {
    const gateway = new FakeGateway(taskKey);
    await new Promise<void>((resolve) => gateway.#http.listen(0, '127.0.0.1', resolve));
    return gateway;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  /** The runner's `n`-th socket, from 0, once it has registered. */
  line(n = 0): Promise<FakeLine> {
    return waitFor(`registration ${n} of the runner`, () => {
      const line = this.lines[n];
      return line?.registration ? line : null;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of this.lines) line.drop();
    this.#sockets.close();
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
      this.#http.closeAllConnections();
    });
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on('error', () => {});
    if (request.url !== '/agent') this.complaints.push('dialled something else than /agent');
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    try {
      const claims = await new TokenVerifier(this.taskKey, this.taskSecret).verify(bearer);
      if (claims.video?.agent !== true) this.complaints.push('token without the agent grant');
    } catch {
      this.complaints.push('token that cannot be verified');
    }
    if (this.lines.some((line) => line.open)) this.complaints.push('a second live socket');
    if (this.refuseWith !== null) {
      this.refused += 1;
      socket.end(`HTTP/1.1 ${this.refuseWith} No\r\nConnection: close\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      const header = request.headers[JOB_HEADER];
      this.lines.push(new FakeLine(this, ws, typeof header === 'string' ? header : null));
    });
  }
}

/** One socket of the runner. */
export class FakeLine {
  /** The job that it named while dialling. */
  readonly jobHeader: string | null;
  registration: RegisterWorkerRequest | null = null;
  readonly answers: AvailabilityResponse[] = [];
  readonly reports: JobStatus[] = [];
  readonly #gateway: FakeGateway;
  readonly #ws: WebSocket;

  constructor(gateway: FakeGateway, ws: WebSocket, jobHeader: string | null) {
    this.#gateway = gateway;
    this.#ws = ws;
    this.jobHeader = jobHeader;
    ws.on('error', () => {});
    ws.on('message', (data, isBinary) => {
      const frame = isBinary && Buffer.isBuffer(data) ? decodeWorker(data) : null;
      if (frame) this.#receive(frame);
      else gateway.complaints.push('frame that is no worker message');
    });
  }

  get open(): boolean {
    return this.#ws.readyState === this.#ws.OPEN;
  }

  send(frame: ServerFrame): void {
    this.#ws.send(encodeServer(frame));
  }

  sendRaw(data: string | Uint8Array): void {
    this.#ws.send(data);
  }

  /** Offers a job and resolves with the runner's answer. `id` is the task's own if not given. */
  async offer(fake: FakeJob, id = jobIdOf(this.#gateway.taskKey)): Promise<boolean> {
    const answered = this.answers.length;
    const value = new AvailabilityRequest({ job: jobOf(fake, id) });
    this.send({ case: 'availability', value });
    const answer = await waitFor('answer to the offer', () => this.answers[answered]);
    if (answer.jobId !== id) this.#gateway.complaints.push('answer for another job');
    return answer.available;
  }

  assign(fake: FakeJob): void {
    const job = jobOf(fake, jobIdOf(this.#gateway.taskKey));
    const value = new JobAssignment({ job, url: fake.url, token: fake.token });
    this.send({ case: 'assignment', value });
  }

  terminate(jobId = jobIdOf(this.#gateway.taskKey)): void {
    this.send({ case: 'termination', value: new JobTermination({ jobId }) });
  }

  /** Cuts the line as a crash would. */
  drop(): void {
    this.#ws.terminate();
  }

  #receive(frame: WorkerFrame): void {
    const { complaints, taskKey } = this.#gateway;
    if ((frame.case === 'register') === (this.registration !== null)) {
      complaints.push('register must come first, once');
    }
    if (frame.case === 'availability') this.answers.push(frame.value);
    if (frame.case === 'updateJob') {
      if (frame.value.jobId !== jobIdOf(taskKey)) complaints.push('report about another job');
      this.reports.push(frame.value.status);
    }
    if (frame.case === 'register') this.#register(frame.value);
  }

  #register(request: RegisterWorkerRequest): void {
    if (request.type !== JobType.JT_ROOM) this.#gateway.complaints.push('not a worker for rooms');
    this.registration = request;
    const serverInfo = new ServerInfo({ version: '1.0.0', agentProtocol: 1 });
    const value = new RegisterWorkerResponse({ workerId: 'AW_test', serverInfo });
    this.send({ case: 'register', value });
  }
}

function jobOf(fake: FakeJob, id: string): Job {
  const { room, metadata = '' } = fake;
  return new Job({ id, type: JobType.JT_ROOM, room: new Room(room), metadata });
}
