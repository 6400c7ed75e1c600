/**
 * A person in a room, played by LiveKit's own client: joins with a token, speaks a steady tone,
 * chats, and notices what the room's agent does.
 */
import {
  AudioFrame,
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  ParticipantKind,
  type RemoteParticipant,
  Room,
  RoomEvent,
  TrackKind,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';
import { systemClock } from '../lib/clock.ts';
import { isTone, toneSamples } from './tone.ts';
import { atMost } from './wait.ts';

export const CHAT_TOPIC = 'lk.chat';
const SAMPLE_RATE_HZ = 48_000;
const FRAME_SAMPLES = SAMPLE_RATE_HZ / 100;
/** How much sound is judged at once: a tenth of a second. */
const WINDOW_SAMPLES = SAMPLE_RATE_HZ / 10;
const SPEAK_AHEAD_MS = 50;
/** LiveKit's client may never say that it has left a room to which its connection broke. */
const LEAVE_LIMIT_MS = 3_000;

export interface ParticipantOptions {
  /** `ws://…` */
  readonly url: string;
  /** Join token for one room. */
  readonly token: string;
  /** Whom to listen to: the identity of the room's agent. Default: whoever else is there. */
  readonly agentIdentity?: string;
  /** Tone to speak, and to expect back. */
  readonly toneHz: number;
  /** What the agent does, as it is seen; each but `chat` at most once. */
  readonly on: {
    agent(): void;
    chat(text: string): void;
    /** The tone came back: a tenth of a second of it. */
    tone(): void;
  };
}

export interface JoinedParticipant extends AsyncDisposable {
  /** Sends a chat text to the room. */
  say(text: string): Promise<void>;
  /** Leaves the room and frees the client's parts. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Joins the room and begins to speak. Rejects when the room cannot be joined. */
export async function join(options: ParticipantOptions): Promise<JoinedParticipant> {
  const room = new Room();
  const voice = new AudioSource(SAMPLE_RATE_HZ, 1, SPEAK_AHEAD_MS);
  const leaving = new AbortController();
  const leave = async () => {
    leaving.abort();
    const left = room.disconnect().then(() => voice.close());
    await atMost(LEAVE_LIMIT_MS, left, systemClock);
  };
  try {
    listen(room, options, leaving.signal);
    await room.connect(options.url, options.token, { autoSubscribe: true, dynacast: false });
    for (const participant of room.remoteParticipants.values()) greetAgent(participant, options);
    const me = room.localParticipant;
    if (!me) throw new Error('the room has no local participant');
    const track = LocalAudioTrack.createAudioTrack('tone', voice);
    const published = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE });
    await me.publishTrack(track, published);
    void speak(voice, options.toneHz, leaving.signal);
    return {
      say: async (text) => void (await me.sendText(text, { topic: CHAT_TOPIC })),
      [Symbol.asyncDispose]: leave,
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

function listen(room: Room, options: ParticipantOptions, leaving: AbortSignal): void {
  const { on, agentIdentity, toneHz } = options;
  room.on(RoomEvent.ParticipantConnected, (participant) => greetAgent(participant, options));
  room.on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
    if (!isAgent(participant, options) || track.kind !== TrackKind.KIND_AUDIO) return;
    const stream = new AudioStream(track, SAMPLE_RATE_HZ, 1);
    void hearTone(stream, toneHz, leaving).then((heard) => heard && on.tone());
  });
  room.registerTextStreamHandler(CHAT_TOPIC, (reader, sender) => {
    // By identity alone: a text can come before its sender is told of.
    const fromAgent = sender.identity === (agentIdentity ?? sender.identity);
    // A text that is cut off by the end of the room is nobody's news.
    reader.readAll().then(
      (text) => fromAgent && on.chat(text),
      () => {},
    );
  });
}

function greetAgent(participant: RemoteParticipant, options: ParticipantOptions) {
  if (isAgent(participant, options)) options.on.agent();
}

function isAgent({ identity, kind }: RemoteParticipant, options: ParticipantOptions): boolean {
  return kind === ParticipantKind.AGENT && identity === (options.agentIdentity ?? identity);
}

async function speak(voice: AudioSource, toneHz: number, leaving: AbortSignal): Promise<void> {
  try {
    for (let first = 0; !leaving.aborted; first += FRAME_SAMPLES) {
      const samples = toneSamples(toneHz, SAMPLE_RATE_HZ, first, FRAME_SAMPLES);
      await voice.captureFrame(new AudioFrame(samples, SAMPLE_RATE_HZ, 1, FRAME_SAMPLES));
    }
  } catch {
    // The source was closed under a frame: we are leaving.
  }
}

/** True once the newest tenth of a second is the tone; false when the stream ends before. */
async function hearTone(
  stream: AudioStream,
  toneHz: number,
  leaving: AbortSignal,
): Promise<boolean> {
  const newest = new Int16Array(WINDOW_SAMPLES);
  const reader = stream.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  leaving.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return false;
      newest.copyWithin(0, frame.data.length);
      newest.set(frame.data.subarray(-WINDOW_SAMPLES), WINDOW_SAMPLES - frame.data.length);
      if (isTone(newest, SAMPLE_RATE_HZ, toneHz)) return true;
    }
  } finally {
    leaving.removeEventListener('abort', cancel);
    cancel();
  }
}
