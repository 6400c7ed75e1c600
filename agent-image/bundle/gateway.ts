/**
 * As much of the launcher's gateway as one start needs, on loopback: registers the runner, offers its
 * job, and assigns it a room that cannot be joined.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  AvailabilityRequest,
  Job,
  JobAssignment,
  JobType,
  RegisterWorkerResponse,
  Room,
  ServerInfo,
} from '@livekit/protocol';
import { AccessToken } from 'livekit-server-sdk';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  decodeWorker,
  encodeServer,
  jobIdOf,
  type ServerFrame,
} from '../../launcher/gateway/wire.ts';

const ROOM = { sid: 'RM_build', name: 'build' } as const;

/** Known to nobody but this process, and of no use outside. */
export const TASK = { taskKey: 'r-RM_build-1', taskSecret: 'x'.repeat(32) } as const;

export interface StandInGateway {
  readonly url: string;
  close(): void;
}

export async function startGateway(): Promise<StandInGateway> {
  const server = createServer((_request, response) => response.writeHead(404).end());
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    if (request.url !== '/agent') return void socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (ws) => serve(ws, url));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function serve(ws: WebSocket, url: string): void {
  const send = (frame: ServerFrame) => ws.send(encodeServer(frame));
  const job = new Job({
    id: jobIdOf(TASK.taskKey),
    type: JobType.JT_ROOM,
    room: new Room(ROOM),
  });
  const assign = async () => {
    const token = await tokenOf();
    send({ case: 'assignment', value: new JobAssignment({ job, url, token }) });
  };
  ws.on('error', () => {});
  ws.on('message', (data) => {
    const frame = Buffer.isBuffer(data) ? decodeWorker(data) : null;
    if (frame?.case === 'register') {
      const serverInfo = new ServerInfo({ version: '1.0.0', agentProtocol: 1 });
      const value = new RegisterWorkerResponse({ workerId: 'AW_build', serverInfo });
      send({ case: 'register', value });
      send({ case: 'availability', value: new AvailabilityRequest({ job }) });
    }
    if (frame?.case === 'availability') void assign();
  });
}

function tokenOf(): Promise<string> {
  const token = new AccessToken(TASK.taskKey, TASK.taskSecret, { identity: 'agent' });
  token.addGrant({ roomJoin: true, room: ROOM.name, agent: true });
  return token.toJwt();
}
