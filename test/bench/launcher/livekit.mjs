/**
 * As much of LiveKit as a launcher sees: the server API's lists of rooms and participants, and the
 * webhooks of a room's life, signed as LiveKit's server signs them. An agent is in its room from the
 * second look on: the first one finds the room without a task.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';

export const API_KEY = 'bench';
export const API_SECRET = 'a-secret-of-thirty-two-characters';
const TOKEN_SECONDS = 300;
const CODECS = 'audio/opus audio/red video/VP8 video/H264 video/VP9 video/AV1 video/rtx';
const enabledCodecs = CODECS.split(' ').map((mime) => ({ mime }));

/** Rooms by name, and how often each was asked for. */
export class LiveKitRooms {
  rooms = new Map();
  looks = 0;

  open(name) {
    const room = {
      sid: `RM_${name.replaceAll('-', '_')}`,
      name,
      emptyTimeout: 300,
      departureTimeout: 20,
      creationTime: String(Math.floor(Date.now() / 1_000)),
      creationTimeMs: String(Date.now()),
      turnPassword: 'a-password-of-some-forty-characters-in-all',
      enabledCodecs,
      numParticipants: 1,
    };
    this.rooms.set(name, { room, asked: 0 });
    return room;
  }

  close(name) {
    this.rooms.delete(name);
  }

  /** Listens on loopback; resolves with the port. */
  listen() {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify(this.#answer(request.url, JSON.parse(body))));
      });
    });
    // Longer than any measurement: no connection closes under a look.
    server.keepAliveTimeout = 600_000;
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(server.address().port));
    });
  }

  #answer(url, { names = [], room: name }) {
    if (url.endsWith('/ListRooms')) {
      if (names.length === 0) return { rooms: [...this.rooms.values()].map(({ room }) => room) };
      this.looks += 1;
      return { rooms: names.flatMap((each) => this.rooms.get(each)?.room ?? []) };
    }
    const known = url.endsWith('/ListParticipants') && this.rooms.get(name);
    if (!known) return {};
    known.asked += 1;
    const user = userOf(known.room);
    return { participants: known.asked === 1 ? [user] : [user, agentOf(known.room)] };
  }
}

const track = { sid: 'TR_AMxYzAbCdEfGhI', type: 'AUDIO', source: 'MICROPHONE' };
const permission = { canSubscribe: true, canPublish: true, canPublishData: true };

export function userOf({ sid }) {
  const identity = `caller-${sid}`;
  return { sid: `PA_user${sid}`, identity, state: 'ACTIVE', joinedAt: '1700000000', permission };
}

export function agentOf({ sid }) {
  const attributes = { 'lk.agent_name': '', 'room-launcher.task': `r-${sid}-1` };
  const identity = `agent-${sid}`;
  return { ...userOf({ sid }), sid: `PA_agent${sid}`, identity, kind: 'AGENT', attributes };
}

/** The webhooks of one life of a room: a caller comes, an agent joins it, both leave. */
export function life(room) {
  const user = userOf(room);
  const agent = agentOf(room);
  return [
    { event: 'room_started', room },
    { event: 'participant_joined', room, participant: user },
    ...visit(room, user),
    { event: 'participant_joined', room, participant: agent },
    { event: 'track_published', room, participant: agent, track },
    { event: 'participant_left', room, participant: { ...user, state: 'DISCONNECTED' } },
    { event: 'track_unpublished', room, participant: agent, track },
    { event: 'participant_left', room, participant: { ...agent, state: 'DISCONNECTED' } },
    { event: 'room_finished', room },
  ];
}

/** What a caller does in a room that goes on. */
export function talk(room) {
  const user = userOf(room);
  return [
    { event: 'participant_joined', room, participant: user },
    ...visit(room, user),
    { event: 'participant_left', room, participant: { ...user, state: 'DISCONNECTED' } },
  ];
}

function visit(room, participant) {
  return [
    { event: 'track_published', room, participant, track },
    { event: 'track_unpublished', room, participant, track },
  ];
}

let lastId = 0;
const header = part({ alg: 'HS256', typ: 'JWT' });

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** One webhook as bytes on the wire. */
export function webhook(event, port) {
  const nowSeconds = Math.floor(Date.now() / 1_000);
  const id = `EV_${(lastId += 1)}`;
  const body = JSON.stringify({ ...event, id, createdAt: String(nowSeconds) });
  const sha256 = createHash('sha256').update(body).digest('base64');
  const claims = { iss: API_KEY, nbf: nowSeconds, exp: nowSeconds + TOKEN_SECONDS, sha256 };
  const signed = `${header}.${part(claims)}`;
  const signature = createHmac('sha256', API_SECRET).update(signed).digest('base64url');
  return (
    `POST /webhook HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: Go-http-client/1.1\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nAuthorization: ${signed}.${signature}\r\n` +
    `Content-Type: application/webhook+json\r\nAccept-Encoding: gzip\r\n\r\n${body}`
  );
}
