/**
 * The methods of LiveKit's room service that a task may call, and what it may say in each.
 *
 * LiveKit binds `roomAdmin` to one room; whoever may delete or list rooms may do so with all of them.
 * So every request is checked here by its content, whichever grant it needs.
 */
import {
  DeleteRoomRequest,
  DeleteRoomResponse,
  ListParticipantsRequest,
  ListParticipantsResponse,
  ListRoomsRequest,
  ListRoomsResponse,
  MuteRoomTrackRequest,
  MuteRoomTrackResponse,
  ParticipantInfo,
  RemoveParticipantResponse,
  Room,
  RoomParticipantIdentity,
  SendDataRequest,
  SendDataResponse,
  UpdateParticipantRequest,
  UpdateRoomMetadataRequest,
  UpdateSubscriptionsRequest,
  UpdateSubscriptionsResponse,
} from '@livekit/protocol';
import { agentIdentity, TASK_ATTRIBUTE } from '../core/room.ts';
import { type ApiMethod, apiMethod, type Check } from './server-api-codec.ts';

const OTHER_ROOM =
  'a task may act on its own room only: name the room of its job (Python: ctx.job.room.name, ' +
  'JavaScript: ctx.job.room.name)';
const OTHER_NAMES = 'a task may list its own room only: `names` must be its name and nothing else';
const TASK_ATTRIBUTE_KEPT = `the attribute ${TASK_ATTRIBUTE} is the launcher's: leave it out`;
const RIGHTS_BEYOND =
  'a permission may not hold `agent` or `recorder`, which reach beyond the room: leave them out';

const ownRoom: Check<{ readonly room: string }> = ({ room }, { roomName }) =>
  room === roomName ? null : OTHER_ROOM;

const ownRoomAlone: Check<ListRoomsRequest> = ({ names }, { roomName }) =>
  names.length === 1 && names[0] === roomName ? null : OTHER_NAMES;

/**
 * LiveKit hands each participant tokens, signed with the project's key, that hold its permissions of
 * the moment: with `agent`, such a token registers workers that are offered every room.
 */
const modestUpdate: Check<UpdateParticipantRequest> = (request, caller) => {
  const { identity, attributes, permission } = request;
  if (permission?.agent || permission?.recorder) return RIGHTS_BEYOND;
  const task = Object.hasOwn(attributes, TASK_ATTRIBUTE) ? attributes[TASK_ATTRIBUTE] : undefined;
  // Code that reads an agent's attributes and writes all of them back changes nothing.
  const unchanged = task === caller.key && identity === agentIdentity(caller.sid);
  if (task !== undefined && !unchanged) return TASK_ATTRIBUTE_KEPT;
  return ownRoom(request, caller);
};

function hidePassword(room: Room): void {
  room.turnPassword = '';
}

const admin = { grant: 'roomAdmin', check: ownRoom } as const;

/** By name. Whatever is not here, a task may not call. */
export const METHODS: ReadonlyMap<string, ApiMethod> = new Map<string, ApiMethod>(
  Object.entries({
    ListRooms: apiMethod({
      grant: 'roomList',
      request: ListRoomsRequest,
      answer: ListRoomsResponse,
      check: ownRoomAlone,
      strip: ({ rooms }) => rooms.forEach(hidePassword),
    }),
    DeleteRoom: apiMethod({
      grant: 'roomCreate',
      request: DeleteRoomRequest,
      answer: DeleteRoomResponse,
      check: ownRoom,
    }),
    ListParticipants: apiMethod({
      ...admin,
      request: ListParticipantsRequest,
      answer: ListParticipantsResponse,
    }),
    GetParticipant: apiMethod({
      ...admin,
      request: RoomParticipantIdentity,
      answer: ParticipantInfo,
    }),
    RemoveParticipant: apiMethod({
      ...admin,
      request: RoomParticipantIdentity,
      answer: RemoveParticipantResponse,
    }),
    UpdateParticipant: apiMethod({
      ...admin,
      request: UpdateParticipantRequest,
      answer: ParticipantInfo,
      check: modestUpdate,
    }),
    MutePublishedTrack: apiMethod({
      ...admin,
      request: MuteRoomTrackRequest,
      answer: MuteRoomTrackResponse,
    }),
    UpdateSubscriptions: apiMethod({
      ...admin,
      request: UpdateSubscriptionsRequest,
      answer: UpdateSubscriptionsResponse,
    }),
    SendData: apiMethod({ ...admin, request: SendDataRequest, answer: SendDataResponse }),
    UpdateRoomMetadata: apiMethod({
      ...admin,
      request: UpdateRoomMetadataRequest,
      answer: Room,
      strip: hidePassword,
    }),
  }),
);
