/**
 * The gateway: where tasks dial in and are handed their one job.
 *
 * It plays the server's side of LiveKit's worker protocol, so that unmodified agents can be tasks.
 * Four parts, put together here: the door decides who comes in, a socket keeps one worker's line,
 * an assignment takes one task to its job, and the host (the rest of the launcher) is asked which
 * job that is. The gateway keeps nothing that a restart may not lose.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RegisterWorkerRequest } from '@livekit/protocol';
import { WebSocketServer, type WebSocket } from 'ws';
import type { TaskKey } from '../driver.ts';
import { CountedWarning } from '../lib/counted-warning.ts';
import { listen, type ListenAddress } from '../lib/listen.ts';
import { reasonOf } from '../lib/log.ts';
import { Accounts } from './accounts.ts';
import { Assignments } from './assignments.ts';
import { Door, type DoorPorts, type Refused } from './door.ts';
import { answerPlain, HEADERS_TIMEOUT_MS, refuseUpgrade } from './http.ts';
import { pong, registered } from './job.ts';
import type { AssignmentPorts, Gateway, GatewayHost, SocketView } from './ports.ts';
import { ServerApi, type ServerApiPorts } from './server-api.ts';
import { isServerApiPath } from './server-api-request.ts';
import { WorkerSocket, type SocketEnd } from './socket.ts';
import { JOB_HEADER, MAX_FRAME_BYTES, type WorkerFrame } from './wire.ts';

/** Connections of any kind at a time; more are dropped by the system before they cost memory. */
const CONNECTIONS_MAX = 10_000;
/** For a worker to answer our closing frame; then its line is cut. */
const CLOSE_TIMEOUT_MS = 250;
const BAD_TOKEN = 'refused tokens; has the gateway secret or the deployment changed?';
const BAD_TOKEN_OF_OURS =
  'refused the token of a task that runs here: if LAUNCHER_GATEWAY_SECRET has changed, ' +
  'add the secret of before behind the new one until that task has ended';

export interface GatewayOptions extends DoorPorts, AssignmentPorts, ServerApiPorts {
  readonly host: GatewayHost;
  readonly listen: ListenAddress;
  /** The setting that `listen` comes from, for the error. */
  readonly settingName: string;
  /** For a request's headers. */
  readonly headersTimeoutMs?: number;
}

/** Opens the gateway. Rejects with `ListenError` when its address cannot be used. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new TaskGateway(options);
  await gateway.open();
  return gateway;
}

class TaskGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  readonly #door: Door;
  readonly #assignments: Assignments;
  readonly #serverApi: ServerApi;
  readonly #accounts: Accounts;
  readonly #sockets = new Map<TaskKey, WorkerSocket>();
  /** Lines whose dial is being decided. */
  readonly #dialling = new Set<Duplex>();
  #port = 0;
  #closing = false;
  readonly #badTokens: { readonly ofOurs: CountedWarning; readonly others: CountedWarning };

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#door = new Door(options);
    this.#assignments = new Assignments(options);
    this.#serverApi = new ServerApi(options);
    const { clock, log, headersTimeoutMs: limitMs = HEADERS_TIMEOUT_MS } = options;
    this.#accounts = new Accounts(clock);
    this.#badTokens = {
      ofOurs: new CountedWarning(clock, (fields) => log.warn(BAD_TOKEN_OF_OURS, fields)),
      others: new CountedWarning(clock, (fields) => log.warn(BAD_TOKEN, fields)),
    };
    const limits = { headersTimeout: limitMs, requestTimeout: limitMs };
    const check = { connectionsCheckingInterval: limitMs / 10 };
    this.#server = createServer({ ...limits, ...check }, (request, response) =>
      this.#requested(request, response),
    );
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on('upgrade', (request, line, head) => void this.#dialled(request, line, head));
    // `closeTimeout` is missing in the types of ws, which a literal would be checked against.
    const webSocketOptions = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MAX_FRAME_BYTES,
      closeTimeout: CLOSE_TIMEOUT_MS,
    };
    this.#webSockets = new WebSocketServer(webSocketOptions);
  }

  async open(): Promise<void> {
    this.#port = await listen(this.#server, this.#options.listen, this.#options.settingName);
  }

  get port(): number {
    return this.#port;
  }

  sockets(): ReadonlyMap<TaskKey, SocketView> {
    return new Map([...this.#sockets].map(([key, socket]) => [key, this.#view(key, socket)]));
  }

  offer(key: TaskKey): void {
    this.#assignments.get(key)?.offer();
  }

  withdraw(key: TaskKey): boolean {
    return this.#assignments.get(key)?.withdraw() ?? true;
  }

  terminate(key: TaskKey): boolean {
    return this.#assignments.end(key);
  }

  account(key: TaskKey): string {
    return this.#assignments.get(key)?.account ?? this.#accounts.of(key);
  }

  /** Closes the listener and all sockets, without telling the host: it is ending too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#serverApi.close();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#webSockets.close();
    for (const line of this.#dialling) line.destroy();
    for (const socket of this.#sockets.values()) socket.close(1001, 'the launcher is ending');
    this.#server.closeAllConnections();
    await closed;
  }

  #requested(request: IncomingMessage, response: ServerResponse): void {
    if (isServerApiPath(request.url)) void this.#serverApi.answer(request, response);
    else answerPlain(request, response);
  }

  async #dialled(request: IncomingMessage, line: Duplex, head: Buffer): Promise<void> {
    const { log } = this.#options;
    line.on('error', () => line.destroy());
    this.#dialling.add(line);
    try {
      const refused = await this.#door.decide(
        request,
        (key) => this.#sockets.get(key),
        (key) => {
          this.#webSockets.handleUpgrade(request, line, head, (webSocket) =>
            this.#entered(key, webSocket, request),
          );
        },
      );
      if (refused) this.#refuse(line, refused);
    } catch (error) {
      log.error('could not decide about a dial', { reason: reasonOf(error) });
      refuseUpgrade(line, { status: 500, reason: 'internal error' });
    } finally {
      this.#dialling.delete(line);
    }
  }

  #refuse(line: Duplex, refused: Refused): void {
    refuseUpgrade(line, refused);
    const { status, reason, key, claims, unsigned } = refused;
    const { host, log } = this.#options;
    if (status === 410 && key !== undefined) this.#assignments.forget(key);
    log.debug('refused a dial', { task: key, status, reason });
    if (status !== 401) return;
    if (claims === undefined) this.#accounts.noteStranger();
    else if (host.admit(claims).answer === 'welcome') {
      this.#accounts.note(claims, `a dial in its name was refused: ${reason}`);
    }
    if (unsigned) this.#badTokens.ofOurs.note(reason, { task: claims });
    else this.#badTokens.others.note(reason);
  }

  #entered(key: TaskKey, webSocket: WebSocket, request: IncomingMessage): void {
    const { clock, log } = this.#options;
    const header = request.headers[JOB_HEADER];
    const jobId = typeof header === 'string' ? header : undefined;
    const socket: WorkerSocket = new WorkerSocket(key, webSocket, clock, log, {
      registered: (register) => this.#registered(socket, register, jobId),
      frame: (frame) => this.#received(socket, frame),
      ended: (end, reason) => this.#ended(socket, end, reason),
    });
    this.#sockets.set(key, socket);
  }

  #registered(
    socket: WorkerSocket,
    register: RegisterWorkerRequest,
    jobId: string | undefined,
  ): void {
    const { key, connectedAtMs } = socket;
    const { clock, host, log } = this.#options;
    const nowMs = clock.nowMs();
    const id = `AW_${key}`;
    socket.send(registered(id));
    log.event('task.register', { task: key, since_connect_ms: nowMs - connectedAtMs });
    this.#assignments.connect(key, {
      id,
      agentName: register.agentName,
      permissions: register.allowedPermissions,
      registeredAtMs: nowMs,
      jobId,
      send: (frame) => socket.send(frame),
    });
    host.changed(key, 'registered');
  }

  /** Load and job states (`updateWorker`, `updateJob`) are no truth here: the room and the exit are. */
  #received(socket: WorkerSocket, frame: WorkerFrame): void {
    const task = this.#assignments.get(socket.key);
    if (frame.case === 'ping') socket.send(pong(frame.value, this.#options.clock.nowMs()));
    else if (frame.case === 'availability') task?.onAnswer(frame.value);
    else if (frame.case === 'migrateJob') task?.onJobs(frame.value.jobIds);
  }

  #ended(socket: WorkerSocket, end: SocketEnd, reason: string): void {
    const { key, registeredAtMs } = socket;
    this.#sockets.delete(key);
    const how = registeredAtMs === undefined ? 'dialled and did not register' : 'hung up';
    this.#accounts.note(key, reason === '' ? `its worker ${how}` : `its worker ${how}: ${reason}`);
    this.#assignments.disconnect(key);
    if (end === 'broke-protocol') this.#door.bar(key);
    if (!this.#closing) this.#options.host.changed(key, 'closed');
  }

  #view(key: TaskKey, socket: WorkerSocket): SocketView {
    const { connectedAtMs, registeredAtMs } = socket;
    const task = this.#assignments.get(key);
    if (task === undefined || registeredAtMs === undefined) {
      return { state: 'connecting', connectedAtMs };
    }
    const { state, assignedAtMs } = task;
    const view = { state, connectedAtMs, registeredAtMs };
    return assignedAtMs === undefined ? view : { ...view, assignedAtMs };
  }
}
