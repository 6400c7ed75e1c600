import { TokenVerifier } from 'livekit-server-sdk';
import { expect, test } from 'vitest';
import type { RoomSid } from '../../launcher/core/room.ts';
import { Secret } from '../../launcher/lib/secret.ts';
import { roomToken, type RoomTokenRequest } from '../../launcher/livekit/token.ts';

const PAIR = { apiKey: 'key', apiSecret: new Secret('a-secret') };
const REQUEST: RoomTokenRequest = {
  sid: 'RM_1' as RoomSid,
  roomName: 'lobby',
  taskKey: 'r-RM_1-1',
  agentName: 'greeter',
};

async function claims(request: Partial<RoomTokenRequest> = {}) {
  const token = await roomToken(PAIR, { ...REQUEST, ...request });
  return new TokenVerifier('key', 'a-secret').verify(token);
}

test('the token opens one room for ten minutes, to an agent, and nothing else', async () => {
  const { exp = 0, nbf = 0, ...rest } = await claims();
  expect(Math.abs(exp - nbf - 600)).toBeLessThanOrEqual(1);
  expect(rest).toEqual({
    iss: 'key',
    sub: 'agent-RM_1',
    kind: 'agent',
    attributes: {
      'lk.agent_name': 'greeter',
      'lk.agent.name': 'greeter',
      'room-launcher.task': 'r-RM_1-1',
    },
    video: {
      roomJoin: true,
      room: 'lobby',
      canPublish: true,
      canSubscribe: true,
      canPublishData: true,
      canUpdateOwnMetadata: true,
      hidden: false,
    },
  });
});

test("the worker's permissions are granted as they are", async () => {
  const permissions = {
    canPublish: false,
    canSubscribe: true,
    canPublishData: false,
    canUpdateMetadata: false,
    hidden: true,
  };
  const { video } = await claims({ permissions });
  expect(video).toMatchObject({
    canPublish: false,
    canSubscribe: true,
    canPublishData: false,
    canUpdateOwnMetadata: false,
    hidden: true,
  });
});

test("the worker's name, metadata and attributes arrive, but not over ours", async () => {
  const participantAttributes = {
    mood: 'good',
    'lk.agent_name': 'another',
    'lk.agent.name': 'another',
    'room-launcher.task': 'r-RM_2-1',
  };
  const named = { participantName: 'Ada', participantMetadata: '{}', participantAttributes };
  expect(await claims(named)).toMatchObject({
    name: 'Ada',
    metadata: '{}',
    attributes: {
      mood: 'good',
      'lk.agent_name': 'greeter',
      'lk.agent.name': 'greeter',
      'room-launcher.task': 'r-RM_1-1',
    },
  });
});
