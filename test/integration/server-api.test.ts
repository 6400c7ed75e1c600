/** What an agent's code may do to its own room through LiveKit's server API, and to no other. */
import { randomBytes } from 'node:crypto';
import {
  DataPacket_Kind,
  DeleteRoomRequest,
  ListParticipantsRequest,
  ListParticipantsResponse,
  ListRoomsRequest,
  ListRoomsResponse,
} from '@livekit/protocol';
import {
  AudioSource,
  LocalAudioTrack,
  Room,
  RoomEvent,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../launcher/lib/secret.ts';
import { Cleanup } from '../support/cleanup.ts';
import { type Bed, startBed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { agentFile } from '../support/runner.ts';
import { ended, roomOver, served } from '../support/served.ts';
import { type TaskApi, taskApi } from '../support/task-api.ts';
import { waitFor } from '../support/wait.ts';

const ROOM = 'consultation-of-jane-doe';
const OTHER = 'consultation-of-john-roe';
const VISITOR = 'jane.doe@example.org';
const GATEWAY_SECRET = new Secret(randomBytes(32).toString('hex'));

const codeOf = (error: { code?: string }) => error.code;

describeWithLiveKit('the server API for user code', () => {
  const cleanup = new Cleanup();
  let bed: Bed;

  beforeAll(async () => {
    const env = {
      LAUNCHER_GATEWAY_SECRET: GATEWAY_SECRET.reveal(),
      LAUNCHER_AGENT_FILE: agentFile('agent.mjs'),
    };
    bed = await startBed(cleanup, { env });
  }, 60_000);
  afterAll(() => cleanup.run());

  function apiOf(key: string): TaskApi {
    const gatewayUrl = `http://127.0.0.1:${bed.launcher.ports.gateway}`;
    return taskApi({ gatewayUrl, gatewaySecret: GATEWAY_SECRET, deployment: 'test', key });
  }

  /** A room that is served, and its task's way to the server API. */
  async function servedRoom(name: string) {
    await bed.rooms.createRoom({ name });
    const found = await served(bed, name);
    return { ...found, api: apiOf(found.key) };
  }

  async function visitor(name: string): Promise<Room> {
    const { url, apiKey, apiSecret } = bed.server;
    const token = new AccessToken(apiKey, apiSecret.reveal(), { identity: VISITOR });
    token.addGrant({ roomJoin: true, room: name });
    const room = new Room();
    cleanup.defer(() => room.disconnect());
    await room.connect(url, await token.toJwt());
    return room;
  }

  test('each allowed method works on its own room, by JSON', async () => {
    const { api, agent, sid } = await servedRoom(ROOM);
    const { client } = api;
    const room = await visitor(ROOM);
    const heard: string[] = [];
    room.on(RoomEvent.DataReceived, (data) => heard.push(Buffer.from(data).toString()));

    const [listed] = await client.listRooms([ROOM]);
    expect(listed).toMatchObject({ sid, name: ROOM, turnPassword: '' });
    const [truth] = await bed.rooms.listRooms([ROOM]);
    expect(truth?.turnPassword).not.toBe('');

    const identities = (await client.listParticipants(ROOM)).map(({ identity }) => identity);
    expect(identities.toSorted()).toEqual([agent.identity, VISITOR].toSorted());
    expect(await client.getParticipant(ROOM, VISITOR)).toMatchObject({ identity: VISITOR });

    await client.updateParticipant(ROOM, VISITOR, {
      metadata: 'in the queue',
      attributes: { place: '3' },
      permission: { canPublish: true, canSubscribe: true, canPublishData: true },
    });
    await waitFor('the metadata', () => room.localParticipant?.metadata === 'in the queue');
    expect(await bed.rooms.getParticipant(ROOM, VISITOR)).toMatchObject({
      attributes: { place: '3' },
    });

    const source = new AudioSource(48_000, 1);
    cleanup.defer(() => source.close());
    const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
    const track = LocalAudioTrack.createAudioTrack('voice', source);
    const published = await room.localParticipant?.publishTrack(track, options);
    const trackSid = published?.sid ?? '';
    const muted = await client.mutePublishedTrack(ROOM, VISITOR, trackSid, true);
    expect(muted).toMatchObject({ sid: trackSid, muted: true });
    await client.updateSubscriptions(ROOM, agent.identity, [trackSid], false);

    await client.sendData(ROOM, Buffer.from('a word'), DataPacket_Kind.RELIABLE, { topic: 't' });
    await waitFor('the data', () => heard.includes('a word'));

    const updated = await client.updateRoomMetadata(ROOM, 'how it goes');
    expect(updated).toMatchObject({ metadata: 'how it goes', turnPassword: '' });
    await waitFor('the room metadata', () => room.metadata === 'how it goes');

    const left = new Promise((resolve) => room.once(RoomEvent.Disconnected, resolve));
    await client.removeParticipant(ROOM, VISITOR);
    await left;

    await client.deleteRoom(ROOM);
    await roomOver(bed, ROOM);
  });

  test('and by protobuf', async () => {
    const { api, agent } = await servedRoom('by-protobuf');
    const room = 'by-protobuf';
    const names = new ListRoomsRequest({ names: [room] }).toBinary();
    const rooms = await api.call('ListRooms', { roomList: true }, names);
    expect(rooms.headers.get('content-type')).toBe('application/protobuf');
    const listed = ListRoomsResponse.fromBinary(new Uint8Array(await rooms.arrayBuffer()));
    expect(listed.rooms).toMatchObject([{ name: room, turnPassword: '' }]);

    const list = new ListParticipantsRequest({ room }).toBinary();
    const present = await api.call('ListParticipants', { roomAdmin: true, room }, list);
    const answer = ListParticipantsResponse.fromBinary(new Uint8Array(await present.arrayBuffer()));
    expect(answer.participants.map(({ identity }) => identity)).toEqual([agent.identity]);

    const doomed = new DeleteRoomRequest({ room }).toBinary();
    const deleted = await api.call('DeleteRoom', { roomCreate: true }, doomed);
    expect([deleted.status, (await deleted.arrayBuffer()).byteLength]).toEqual([200, 0]);
    await roomOver(bed, room);
  });

  test('no method reaches another room, and none that is not allowed any', async () => {
    const own = await servedRoom('own');
    const other = await servedRoom(OTHER);
    const metadata = (await bed.rooms.listRooms([OTHER]))[0]?.metadata;
    const { client } = own.api;
    const { identity } = other.agent;
    const calls = {
      listAll: () => client.listRooms(),
      listRooms: () => client.listRooms([OTHER]),
      listBoth: () => client.listRooms(['own', OTHER]),
      listParticipants: () => client.listParticipants(OTHER),
      getParticipant: () => client.getParticipant(OTHER, identity),
      updateParticipant: () => client.updateParticipant(OTHER, identity, { metadata: 'x' }),
      mutePublishedTrack: () => client.mutePublishedTrack(OTHER, identity, 'TR_x', true),
      updateSubscriptions: () => client.updateSubscriptions(OTHER, identity, ['TR_x'], false),
      sendData: () => client.sendData(OTHER, Buffer.from('x'), DataPacket_Kind.RELIABLE, {}),
      updateRoomMetadata: () => client.updateRoomMetadata(OTHER, 'x'),
      removeParticipant: () => client.removeParticipant(OTHER, identity),
      deleteRoom: () => client.deleteRoom(OTHER),
      createRoom: () => client.createRoom({ name: 'new' }),
      moveParticipant: () => client.moveParticipant('own', own.agent.identity, OTHER),
      forwardParticipant: () => client.forwardParticipant('own', own.agent.identity, OTHER),
    };
    const outcomes: Record<string, unknown> = {};
    for (const [name, call] of Object.entries(calls)) {
      outcomes[name] = await call().then(() => 'passed on', codeOf);
    }
    const refused = Object.keys(calls).map((name) => [name, 'permission_denied']);
    expect(outcomes).toEqual(Object.fromEntries(refused));
    expect((await bed.rooms.listRooms([OTHER]))[0]).toMatchObject({ sid: other.sid, metadata });
    expect(await bed.rooms.getParticipant(OTHER, identity)).toMatchObject({ metadata: '' });
    expect(await bed.rooms.listRooms(['new'])).toEqual([]);
  });

  test("a task of a name's earlier life does not act on the next one", async () => {
    const earlier = await servedRoom('comes-back');
    await bed.rooms.deleteRoom('comes-back');
    const { sid } = await bed.rooms.createRoom({ name: 'comes-back' });
    expect(sid).not.toBe(earlier.sid);
    const over = { code: 'not_found' };
    await expect(earlier.api.client.deleteRoom('comes-back')).rejects.toMatchObject(over);
    await ended(bed.launcher, earlier.key);
    await expect(earlier.api.client.deleteRoom('comes-back')).rejects.toMatchObject(over);
    const next = await served(bed, 'comes-back');
    expect(next.sid).toBe(sid);
    expect(await apiOf(next.key).client.listParticipants('comes-back')).toHaveLength(1);
  });

  test('a task that has ended calls no more, while its room lives on', async () => {
    const { api, key } = await servedRoom('lives-on');
    await bed.launcher.admin(`/api/tasks/${key}/stop`, { method: 'POST' });
    await ended(bed.launcher, key);
    expect(await bed.rooms.listRooms(['lives-on'])).toHaveLength(1);
    const refusal = { code: 'not_found', message: 'this task has ended' };
    await expect(api.client.listParticipants('lives-on')).rejects.toMatchObject(refusal);
  });

  test("LiveKit's own errors come through", async () => {
    const { api } = await servedRoom('errors');
    const missing = api.client.getParticipant('errors', 'nobody');
    await expect(missing).rejects.toMatchObject({ code: 'not_found', status: 404 });
  });

  test("our runner's ctx.deleteRoom() ends the room, and the task with 0", async () => {
    const metadata = '{"room-launcher":{"metadata":"delete-room"}}';
    const { sid } = await bed.rooms.createRoom({ name: 'deleted-by-its-agent', metadata });
    const key = `r-${sid}-1`;
    expect(await ended(bed.launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    expect(await bed.launcher.taskLog(key)).toContain('room deleted by the agent');
    expect(await bed.rooms.listRooms(['deleted-by-its-agent'])).toEqual([]);
  });

  test('and nothing when it names another room, which is a warning to its agent', async () => {
    const metadata = '{"room-launcher":{"metadata":"delete-other-room"}}';
    await bed.rooms.createRoom({ name: 'not-its-room' });
    await bed.rooms.createRoom({ name: 'keeps-its-agent', metadata });
    const { key } = await served(bed, 'keeps-its-agent');
    const said = async () =>
      (await bed.launcher.taskLog(key)).includes('room could not be deleted');
    await waitFor('the warning', said);
    expect(await bed.rooms.listRooms(['not-its-room', 'keeps-its-agent'])).toHaveLength(2);
  });

  test('names, identities and the project key stay out of the log', () => {
    const { launcher, server } = bed;
    const calls = launcher.events('task.call');
    expect(calls.length).toBeGreaterThan(20);
    expect(calls).toContainEqual(expect.objectContaining({ method: 'DeleteRoom', outcome: 'ok' }));
    for (const hidden of [ROOM, OTHER, VISITOR, server.apiSecret.reveal(), GATEWAY_SECRET.reveal()])
      expect(launcher.output()).not.toContain(hidden);
  });
});
