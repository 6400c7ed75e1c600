/** A stranger's client: it joins a room by name, chats, and knows nothing of any launcher. */
import { Room } from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import type { LiveKitServer } from '../../launcher/dev/livekit-server.ts';
import { waitFor } from './wait.ts';

const CHAT_TOPIC = 'lk.chat';

export interface Visitor extends AsyncDisposable {
  say(text: string): Promise<void>;
  /** Waits until this participant has sent a text that contains `part`. */
  hears(identity: string, part: string): Promise<void>;
}

/** Joins; LiveKit makes the room when there is none of this name. */
export async function visit(
  server: Pick<LiveKitServer, 'url' | 'apiKey' | 'apiSecret'>,
  name: string,
  identity = 'visitor',
): Promise<Visitor> {
  const token = new AccessToken(server.apiKey, server.apiSecret.reveal(), { identity });
  token.addGrant({ roomJoin: true, room: name });
  const room = new Room();
  const heard: string[] = [];
  room.registerTextStreamHandler(CHAT_TOPIC, (reader, sender) => {
    void reader.readAll().then(
      (text) => heard.push(`${sender.identity}: ${text}`),
      () => {}, // Cut off by the end of the room.
    );
  });
  await room.connect(server.url, await token.toJwt(), { autoSubscribe: true, dynacast: false });
  return {
    say: async (text) => void (await room.localParticipant?.sendText(text, { topic: CHAT_TOPIC })),
    hears: async (from, part) => {
      const said = () => heard.some((line) => line.startsWith(`${from}: `) && line.includes(part));
      await waitFor(`"${part}" from ${from}`, said);
    },
    [Symbol.asyncDispose]: () => room.disconnect(),
  };
}
