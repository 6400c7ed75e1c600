/**
 * The example agent: greets everyone by a chat message, answers chat by repeating it, and sends
 * each participant's audio back. It needs no AI provider and no keys. Copy it and make it yours.
 *
 * It is an ordinary LiveKit agent: `node agent.js dev` runs it as a worker without Room Launcher.
 */
import { fileURLToPath } from 'node:url';
import { cli, defineAgent, type JobContext, ServerOptions } from '@livekit/agents';
import {
  type AudioFrame,
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  ParticipantKind,
  type RemoteParticipant,
  type RemoteTrack,
  type Room,
  RoomEvent,
  type TextStreamReader,
  TrackKind,
  TrackPublishOptions,
  TrackSource,
} from '@livekit/rtc-node';

/** The topic that LiveKit's chat components read and write. */
const CHAT_TOPIC = 'lk.chat';
const SAMPLE_RATE = 48_000;
const CHANNELS = 1;

export default defineAgent({
  // Runs once, before there is a room: load models here, so that nobody waits for them.
  prewarm: () => {},

  // Runs for the one room of this job. The job lasts until the room ends or ctx.shutdown().
  entry: async (ctx: JobContext) => {
    const { room } = ctx;
    const echoes: Promise<void>[] = [];
    const left = new AbortController();
    room.once(RoomEvent.Disconnected, () => left.abort());

    // Handlers come before connect(), so that nothing is missed that happens in between.
    room.registerTextStreamHandler(CHAT_TOPIC, (message, { identity }) => {
      void answer(room, message, room.remoteParticipants.get(identity));
    });
    room.on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
      if (track.kind !== TrackKind.KIND_AUDIO || !isPerson(participant)) return;
      echoes.push(echoAudio(room, track, left.signal));
    });
    // Called for each participant: those already in the room, and everyone who joins later.
    ctx.addParticipantEntrypoint(async (_job, participant) => {
      if (!isPerson(participant)) return;
      const name = participant.name || participant.identity;
      await say(room, `Hello, ${name}! I repeat what you write and what you say.`, participant);
    });
    // Called after the room was left; the process ends when this is done.
    ctx.addShutdownCallback(async () => {
      await Promise.all(echoes);
    });

    await ctx.connect();
  },
});

/** Other agents are not answered: two that echo each other would never stop. */
function isPerson(participant: RemoteParticipant): boolean {
  return participant.kind !== ParticipantKind.AGENT;
}

/** Repeats a chat message for everyone to read. */
async function answer(room: Room, message: TextStreamReader, from?: RemoteParticipant) {
  try {
    const text = await message.readAll();
    if (from && isPerson(from)) await say(room, `You said: ${text}`);
  } catch (error) {
    console.error('message not read', error);
  }
}

/** Sends a chat message to everyone, or to one participant alone. */
async function say(room: Room, text: string, to?: RemoteParticipant): Promise<void> {
  try {
    await room.localParticipant?.sendText(text, {
      topic: CHAT_TOPIC,
      ...(to ? { destinationIdentities: [to.identity] } : {}),
    });
  } catch (error) {
    console.error('message not sent', error); // the room may have ended meanwhile
  }
}

/** Publishes a track of our own and plays `track` on it, until that one ends or we have left. */
async function echoAudio(room: Room, track: RemoteTrack, left: AbortSignal): Promise<void> {
  const source = new AudioSource(SAMPLE_RATE, CHANNELS);
  try {
    const publication = await room.localParticipant?.publishTrack(
      LocalAudioTrack.createAudioTrack('echo', source),
      new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }),
    );
    const heard = new AudioStream(track, { sampleRate: SAMPLE_RATE, numChannels: CHANNELS });
    const spoken = new WritableStream<AudioFrame>({ write: (frame) => source.captureFrame(frame) });
    await heard.pipeTo(spoken, { signal: left });
    if (publication?.sid) await room.localParticipant?.unpublishTrack(publication.sid);
  } catch (error) {
    if (!left.aborted) console.error('echo failed', error);
  } finally {
    await source.close();
  }
}

cli.runApp(new ServerOptions({ agent: fileURLToPath(import.meta.url) }));
