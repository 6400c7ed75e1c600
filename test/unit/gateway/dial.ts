/** A real gateway on a port of its own, a scripted host behind it, and workers that dial it. */
import { once } from 'node:events';
import {
  AvailabilityResponse,
  JobType,
  RegisterWorkerRequest,
  WorkerPing,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, beforeEach, expect } from 'vitest';
import { WebSocket } from 'ws';
import type { TaskKey } from '../../../launcher/driver.ts';
import { taskSecret } from '../../../launcher/gateway/credentials.ts';
import { createGateway } from '../../../launcher/gateway/gateway.ts';
import type { Gateway } from '../../../launcher/gateway/ports.ts';
import {
  decodeServer,
  encodeWorker,
  type ServerFrame,
  type WorkerFrame,
} from '../../../launcher/gateway/wire.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { waitFor } from '../../support/wait.ts';
import * as fixture from './fixture.ts';
import { JOB_ID, KEY } from './fixture.ts';

const SECRET = new Secret('gateway-secret');
export const OTHER_KEY = 'r-RM_abc-2' as TaskKey;

export let clock: FakeClock;
export let host: fixture.ScriptedHost;
export let log: fixture.RecordingLog;
export let gateway: Gateway;
export const clients = new Set<WebSocket>();

/** What the gateway under test is made with. */
export const options = () => ({
  listen: { host: '127.0.0.1', port: 0 },
  settingName: 'LAUNCHER_GATEWAY_LISTEN',
  deployment: 'blue',
  secrets: [SECRET],
  taskLivekitUrl: 'wss://real.example',
  mintToken: () => Promise.resolve('room-token'),
  livekitUrl: 'http://127.0.0.1:1',
  mintCallToken: () => Promise.resolve('call-token'),
  host,
  clock,
  log,
});

/** Gives each test of a file a gateway of its own; afterwards nothing of it may be left. */
export function useGateway(): void {
  beforeEach(async () => {
    clock = new FakeClock();
    host = new fixture.ScriptedHost();
    log = new fixture.RecordingLog();
    gateway = await createGateway(options());
  });
  afterEach(async () => {
    await gateway[Symbol.asyncDispose]();
    for (const client of clients) client.terminate();
    clients.clear();
    expect(clock.pending).toBe(0);
  });
}

export async function bearer(key: string = KEY): Promise<string> {
  const secret = taskSecret(SECRET, 'blue', key as TaskKey).reveal();
  const token = new AccessToken(key, secret, { ttl: 60 });
  token.addGrant({ agent: true });
  return `Bearer ${await token.toJwt()}`;
}

interface DialOptions {
  readonly path?: string;
  readonly key?: string;
  readonly headers?: Record<string, string>;
  readonly autoPong?: boolean;
}

/** A worker's end of the line. */
export class Client {
  readonly ws: WebSocket;
  readonly frames: ServerFrame[] = [];
  closed: { code: number; reason: string } | undefined;

  constructor(ws: WebSocket) {
    this.ws = ws;
    clients.add(ws);
    ws.on('message', (data) => {
      const frame = data instanceof Buffer ? decodeServer(data) : null;
      if (frame) this.frames.push(frame);
    });
    ws.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    ws.on('error', () => {});
  }

  send(frame: WorkerFrame): void {
    this.ws.send(encodeWorker(frame));
  }

  register(type = JobType.JT_ROOM): void {
    this.send({ case: 'register', value: new RegisterWorkerRequest({ type, agentName: 'a' }) });
  }

  answer(available = true): void {
    const value = new AvailabilityResponse({ jobId: JOB_ID, available });
    this.send({ case: 'availability', value });
  }

  async frame<C extends ServerFrame['case']>(name: C) {
    return waitFor(`a ${name} frame`, () =>
      this.frames.find((frame): frame is Extract<ServerFrame, { case: C }> => frame.case === name),
    );
  }

  close() {
    return waitFor('the close', () => this.closed);
  }

  cases() {
    return this.frames.map((frame) => frame.case);
  }

  /** Waits until the gateway has read all that was sent: it answers pings in order. */
  async flush(): Promise<void> {
    const pongs = this.cases().filter((name) => name === 'pong').length;
    this.send({ case: 'ping', value: new WorkerPing({ timestamp: 1n }) });
    await waitFor('a pong', () => this.cases().filter((name) => name === 'pong').length > pongs);
  }
}

export async function newSocket(how: DialOptions): Promise<WebSocket> {
  const url = `ws://127.0.0.1:${gateway.port}${how.path ?? '/agent'}`;
  const headers = { authorization: await bearer(how.key), ...how.headers };
  return new WebSocket(url, { headers, autoPong: how.autoPong ?? true });
}

export async function dial(how: DialOptions = {}): Promise<Client> {
  const ws = await newSocket(how);
  const client = new Client(ws);
  await once(ws, 'open');
  return client;
}

/** Dials and registers. */
export async function registered(how: DialOptions = {}): Promise<Client> {
  const client = await dial(how);
  client.register();
  await client.frame('register');
  return client;
}

/** Dials, and resolves with the status and body that it was refused with. */
export async function refusal(how: DialOptions = {}): Promise<{ status: number; body: string }> {
  const ws = await newSocket(how);
  clients.add(ws);
  return new Promise((resolve, reject) => {
    ws.on('open', () => reject(new Error('was let in')));
    ws.on('error', reject);
    ws.on('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (part) => (body += String(part)));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
  });
}

/** The socket as the launcher sees it. */
export const view = (key: TaskKey = KEY) => gateway.sockets().get(key);
export const state = (key: TaskKey = KEY) => view(key)?.state;

/** Waits until the gateway has noticed that all sockets are closed. */
export const allClosed = () => waitFor('all closes', () => gateway.sockets().size === 0);
