/** A stranger's client: it joins a room by name, chats, and knows nothing of any launcher. */
import { Room } from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import type { LiveKitServer } from '../../launcher/dev/livekit-server.ts';
import { waitFor } from './wait.ts';

const CHAT_TOPIC = 'lk.chat';
/**
 * A client on this machine may have chosen the address of some bridge for its media, and another
 * test removes that bridge: nothing reaches it until it has noticed and come back, some 13 s later.
 */
const HEARD_DEADLINE_MS = 40_000;
/** What is said in that time is lost: it is said again. */
const ASK_AGAIN_MS = 5_000;

export interface Visitor extends AsyncDisposable {
  say(text: string): Promise<void>;
  /** Waits until this participant has sent a text that contains `part`. */
  hears(identity: string, part: string): Promise<void>;
  /** Says `text` until this participant has repeated it, as the example agents do. */
  asks(identity: string, text: string): Promise<void>;
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
  const say = async (text: string) =>
    void (await room.localParticipant?.sendText(text, { topic: CHAT_TOPIC }));
  const said = (from: string, part: string) =>
    heard.some((line) => line.startsWith(`${from}: `) && line.includes(part));
  return {
    say,
    hears: async (from, part) => {
      await waitFor(`"${part}" from ${from}`, () => said(from, part), HEARD_DEADLINE_MS);
    },
    asks: async (from, text) => {
      let sayAtMs = 0;
      const answered = async () => {
        if (said(from, `You said: ${text}`)) return true;
        if (performance.now() < sayAtMs) return false;
        await say(text);
        sayAtMs = performance.now() + ASK_AGAIN_MS;
        return false;
      };
      await waitFor(`an answer to "${text}" from ${from}`, answered, HEARD_DEADLINE_MS);
    },
    [Symbol.asyncDispose]: () => room.disconnect(),
  };
}
