/** What a task may say in each method, and that nothing else gets through in either encoding. */
import {
  DeleteRoomRequest,
  ListRoomsRequest,
  ListRoomsResponse,
  MuteRoomTrackRequest,
  ParticipantInfo,
  ParticipantPermission,
  Room,
  RoomParticipantIdentity,
  SendDataRequest,
  UpdateParticipantRequest,
  UpdateRoomMetadataRequest,
  UpdateSubscriptionsRequest,
  ListParticipantsRequest,
} from '@livekit/protocol';
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { agentIdentity, TASK_ATTRIBUTE } from '../../../launcher/core/room.ts';
import type { Encoding } from '../../../launcher/gateway/server-api-codec.ts';
import { METHODS } from '../../../launcher/gateway/server-api-methods.ts';
import { KEY, SID } from './fixture.ts';

const ROOM = 'own room';
const OTHER = 'other room';
const CALLER = { key: KEY, sid: SID, roomName: ROOM };
const WHO = agentIdentity(SID);
const ENCODINGS: readonly Encoding[] = ['protobuf', 'json'];

const who = { identity: 'x' };

/** For each method the grant it needs, and a usual request about a room. */
const TABLE = {
  ListRooms: ['roomList', (room: string) => new ListRoomsRequest({ names: [room] })],
  DeleteRoom: ['roomCreate', (room: string) => new DeleteRoomRequest({ room })],
  ListParticipants: ['roomAdmin', (room: string) => new ListParticipantsRequest({ room })],
  GetParticipant: ['roomAdmin', (room: string) => new RoomParticipantIdentity({ room, ...who })],
  RemoveParticipant: [
    'roomAdmin',
    (room: string) => new RoomParticipantIdentity({ room, ...who, revokeTokenTs: 7n }),
  ],
  UpdateParticipant: [
    'roomAdmin',
    (room: string) => {
      const permission = new ParticipantPermission({ canPublish: true, hidden: true });
      const attributes = { a: 'b', '': 'c' };
      const more = { metadata: 'm', name: 'n', attributes, permission };
      return new UpdateParticipantRequest({ room, ...who, ...more });
    },
  ],
  MutePublishedTrack: [
    'roomAdmin',
    (room: string) => new MuteRoomTrackRequest({ room, ...who, trackSid: 'TR_1', muted: true }),
  ],
  UpdateSubscriptions: [
    'roomAdmin',
    (room: string) =>
      new UpdateSubscriptionsRequest({ room, ...who, trackSids: ['TR_1'], subscribe: true }),
  ],
  SendData: [
    'roomAdmin',
    (room: string) => {
      const to = { destinationIdentities: ['x'], topic: 't' };
      return new SendDataRequest({ room, data: new Uint8Array([0, 255]), kind: 1, ...to });
    },
  ],
  UpdateRoomMetadata: [
    'roomAdmin',
    (room: string) => new UpdateRoomMetadataRequest({ room, metadata: 'm' }),
  ],
} as const;

type Name = keyof typeof TABLE;
const NAMES = Object.keys(TABLE) as Name[];

const attributes = (task: string) => ({ a: 'b', [TASK_ATTRIBUTE]: task });

const usual = (name: Name, room: string) => TABLE[name][1](room);

function read(name: Name, encoding: Encoding, body: Uint8Array | string) {
  const method = METHODS.get(name);
  if (!method) throw new Error(`there is no ${name}`);
  return method.read(Buffer.from(body), encoding);
}

/** What would be sent on of this body; null when it is refused. */
function sentOn(name: Name, encoding: Encoding, body: Uint8Array | string): Uint8Array | null {
  try {
    const { refusalFor, bytes } = read(name, encoding, body);
    return refusalFor(CALLER) === null ? bytes : null;
  } catch {
    return null;
  }
}

/** The rooms that LiveKit would read in it. */
function roomsIn(name: Name, bytes: Uint8Array): string[] {
  const message = usual(name, '').getType().fromBinary(bytes);
  return 'names' in message ? message.names : [message.room];
}

function encoded(message: ReturnType<typeof usual>, encoding: Encoding): Uint8Array | string {
  return encoding === 'protobuf' ? message.toBinary() : message.toJsonString();
}

it('are these, and no others', () => {
  expect([...METHODS.keys()].toSorted()).toEqual(NAMES.toSorted());
  expect([...METHODS].map(([name, { grant }]) => [name, grant])).toEqual(
    [...METHODS.keys()].map((name) => [name, TABLE[name as Name][0]]),
  );
  expect(METHODS.get('constructor')).toBeUndefined();
});

describe.each(ENCODINGS)('in %s', (encoding) => {
  test.each(NAMES)('%s: its own room, unchanged', (name) => {
    const request = usual(name, ROOM);
    const { refusalFor, bytes } = read(name, encoding, encoded(request, encoding));
    expect(refusalFor(CALLER)).toBeNull();
    expect(Buffer.from(bytes)).toEqual(Buffer.from(request.toBinary()));
  });

  test.each(NAMES)('%s: no other room', (name) => {
    for (const room of [OTHER, '', ` ${ROOM}`, `${ROOM}\0`, ROOM.toUpperCase()]) {
      const { refusalFor } = read(name, encoding, encoded(usual(name, room), encoding));
      expect(refusalFor(CALLER)).toMatch(/own room only/);
    }
  });

  test.each([[], [ROOM, ROOM], [ROOM, OTHER], [OTHER, ROOM], [ROOM, '']])(
    'ListRooms: not %j',
    (...names) => {
      const request = new ListRoomsRequest({ names });
      const { refusalFor } = read('ListRooms', encoding, encoded(request, encoding));
      expect(refusalFor(CALLER)).toMatch(/own room only/);
    },
  );

  const update = (fields: Partial<UpdateParticipantRequest>) => {
    const request = new UpdateParticipantRequest({ room: ROOM, identity: WHO, ...fields });
    return read('UpdateParticipant', encoding, encoded(request, encoding)).refusalFor(CALLER);
  };

  it('gives nobody the rights of a worker or a recorder', () => {
    for (const permission of [{ agent: true }, { recorder: true }]) {
      const full = new ParticipantPermission({ canPublish: true, ...permission });
      expect(update({ permission: full })).toMatch(/`agent` or `recorder`/);
      expect(update({ permission: full, identity: 'x' })).toMatch(/`agent` or `recorder`/);
    }
    const none = new ParticipantPermission({ agent: false, recorder: false });
    expect(update({ permission: none })).toBeNull();
  });

  it("keeps the launcher's attribute as it is", () => {
    expect(update({ attributes: attributes(KEY) })).toBeNull();
    expect(update({ attributes: attributes(KEY), identity: 'x' })).toMatch(/launcher's/);
    expect(update({ attributes: attributes('r-RM_abc-2') })).toMatch(/launcher's/);
    expect(update({ attributes: attributes('') })).toMatch(/launcher's/);
  });
});

describe('smuggling', () => {
  const own = new DeleteRoomRequest({ room: ROOM }).toBinary();
  const other = new DeleteRoomRequest({ room: OTHER }).toBinary();

  test('a repeated field means the last one, here and at LiveKit', () => {
    const last = read('DeleteRoom', 'protobuf', Buffer.concat([own, other]));
    expect(last.refusalFor(CALLER)).not.toBeNull();
    const first = read('DeleteRoom', 'protobuf', Buffer.concat([other, own]));
    expect(first.refusalFor(CALLER)).toBeNull();
    expect(Buffer.from(first.bytes)).toEqual(Buffer.from(own));
  });

  test('unknown fields are not sent on, nested ones neither', () => {
    // Field 99, a text; and the same within `permission`, which is field 4.
    const unknown = Buffer.from([0x9a, 0x06, 0x01, 0x78]);
    const nested = Buffer.concat([Buffer.from([0x22, unknown.length]), unknown]);
    const { bytes } = read('UpdateParticipant', 'protobuf', Buffer.concat([own, unknown, nested]));
    const clean = new UpdateParticipantRequest({
      room: ROOM,
      permission: new ParticipantPermission(),
    });
    expect(Buffer.from(bytes)).toEqual(Buffer.from(clean.toBinary()));
  });

  test.each([
    ['a double key', `{"room":"${OTHER}","room":"${ROOM}"}`, ROOM],
    ['a double key, turned', `{"room":"${ROOM}","room":"${OTHER}"}`, null],
    ['an escaped key', String.raw`{"room":"${ROOM}","\u0072oom":"${OTHER}"}`, null],
    ['another case', `{"Room":"${ROOM}","ROOM":"${ROOM}"}`, null],
    ['a prototype', `{"__proto__":{"room":"${ROOM}"}}`, null],
    ['an unknown key', `{"room":"${ROOM}","roomId":"RM_x","room_name":"${OTHER}"}`, ROOM],
  ])('JSON with %s', (_what, body, sent) => {
    const bytes = sentOn('DeleteRoom', 'json', body);
    expect(bytes && roomsIn('DeleteRoom', bytes)).toEqual(sent && [sent]);
  });

  test('both spellings of a JSON key are one field', () => {
    const body = `{"room":"${ROOM}","identity":"x","track_sid":"TR_1","trackSid":"TR_2"}`;
    const { bytes } = read('MutePublishedTrack', 'json', body);
    expect(MuteRoomTrackRequest.fromBinary(bytes).trackSid).toBe('TR_2');
  });

  test.each(['', 'null', '[]', '7', '"own room"', '{', '{"room":["own room"]}', '{"room":7}'])(
    'JSON that is no request: %s',
    (body) => expect(() => read('DeleteRoom', 'json', body)).toThrow(),
  );

  test.each([
    ['cut off', own.slice(0, -1)],
    ['a field of another type', Uint8Array.from([0x08, 0x01, 0x07])],
    ['a length beyond the end', Uint8Array.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
  ])('protobuf that is no request: %s', (_what, body) => {
    expect(sentOn('DeleteRoom', 'protobuf', body)).toBeNull();
  });

  const name = fc.constantFrom(...NAMES);
  const room = fc.constantFrom(ROOM, OTHER, '');
  const piece = fc.oneof(
    fc.tuple(name, room).map(([each, where]) => usual(each, where).toBinary()),
    fc.uint8Array({ maxLength: 8 }),
  );

  test('whatever bytes come, only the own room is sent on', () => {
    let accepted = 0;
    fc.assert(
      fc.property(name, fc.array(piece, { maxLength: 4 }), (called, pieces) => {
        const sent = sentOn(called, 'protobuf', Buffer.concat(pieces));
        if (sent === null) return;
        accepted++;
        expect(roomsIn(called, sent)).toEqual([ROOM]);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });

  const value = fc.oneof(room, fc.array(room, { maxLength: 3 }), fc.jsonValue({ maxDepth: 2 }));
  const key = fc.constantFrom('room', 'names', 'identity', '__proto__', 'Room', 'permission');

  test('whatever JSON comes, only the own room is sent on', () => {
    let accepted = 0;
    fc.assert(
      fc.property(name, fc.array(fc.tuple(key, value), { maxLength: 5 }), (called, entries) => {
        const fields = entries.map(([each, to]) => `${JSON.stringify(each)}:${JSON.stringify(to)}`);
        const sent = sentOn(called, 'json', `{${fields.join()}}`);
        if (sent === null) return;
        accepted++;
        expect(roomsIn(called, sent)).toEqual([ROOM]);
      }),
      { numRuns: 2_000 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('answers', () => {
  const secretive = new Room({ sid: SID, name: ROOM, turnPassword: 'turn-password' });

  test.each(ENCODINGS)('lose the TURN password, in %s', (encoding) => {
    const rooms = new ListRoomsResponse({ rooms: [secretive, secretive] }).toBinary();
    for (const [name, bytes] of [
      ['ListRooms', rooms],
      ['UpdateRoomMetadata', secretive.toBinary()],
    ] as const) {
      const answer = Buffer.from(METHODS.get(name)?.write(bytes, encoding) ?? '').toString();
      expect(answer).toContain(ROOM);
      expect(answer).not.toContain('turn-password');
    }
  });

  test('are JSON as LiveKit writes it: its own spelling, empty fields too', () => {
    const bytes = new ParticipantInfo({ identity: 'x', joinedAt: 5n }).toBinary();
    const answer = METHODS.get('GetParticipant')?.write(bytes, 'json') ?? '';
    expect(JSON.parse(Buffer.from(answer).toString())).toMatchObject({
      identity: 'x',
      joined_at: '5',
      metadata: '',
      state: 'JOINING',
    });
  });

  test('keep what a newer server adds, in protobuf', () => {
    const known = new ParticipantInfo({ identity: 'x' }).toBinary();
    const bytes = Buffer.concat([known, Buffer.from([0xfa, 0x3e, 0x01, 0x78])]);
    const answer = METHODS.get('GetParticipant')?.write(bytes, 'protobuf') ?? '';
    expect(Buffer.from(answer)).toEqual(bytes);
  });
});
