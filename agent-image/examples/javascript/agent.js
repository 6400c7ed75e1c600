/**
 * An ordinary LiveKit agent in JavaScript: greets everyone by a chat message, answers chat by
 * repeating it, and sends each participant's audio back. It needs no AI provider and no keys.
 *
 * Room Launcher runs it as it is; `node agent.js start` runs it without, as a worker.
 */
import { fileURLToPath } from 'node:url';
import { cli, defineAgent, ServerOptions } from '@livekit/agents';
import {
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  ParticipantKind,
  RoomEvent,
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
  entry: async (ctx) => {
    const { room } = ctx;
    const echoes = [];
    const left = new AbortController();
    room.once(RoomEvent.Disconnected, () => left.abort());

    // Handlers come before connect(), so that nothing is missed that happens in between.
    room.registerTextStreamHandler(CHAT_TOPIC, (message, { identity }) => {
      const from = room.remoteParticipants.get(identity);
      if (from && isPerson(from)) void answer(room, message);
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
    // Called after the room was left; the job's process ends when this is done.
    ctx.addShutdownCallback(async () => {
      await Promise.all(echoes);
      console.log('the job is over');
    });

    await ctx.connect();
  },
});

/** Other agents are not answered: two that echo each other would never stop. */
function isPerson(participant) {
  return participant.kind !== ParticipantKind.AGENT;
}

/** Repeats a chat message for everyone to read. */
async function answer(room, message) {
  try {
    await say(room, `You said: ${await message.readAll()}`);
  } catch (error) {
    console.error('message not read', error);
  }
}

/** Sends a chat message to everyone, or to one participant alone. */
async function say(room, text, to) {
  try {
    const destinationIdentities = to && [to.identity];
    await room.localParticipant?.sendText(text, { topic: CHAT_TOPIC, destinationIdentities });
  } catch (error) {
    console.error('message not sent', error); // the room may have ended meanwhile
  }
}

/** Publishes a track of our own and plays `track` on it, until that one ends or we have left. */
async function echoAudio(room, track, left) {
  const source = new AudioSource(SAMPLE_RATE, CHANNELS);
  try {
    const publication = await room.localParticipant?.publishTrack(
      LocalAudioTrack.createAudioTrack('echo', source),
      new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE }),
    );
    const heard = new AudioStream(track, { sampleRate: SAMPLE_RATE, numChannels: CHANNELS });
    const spoken = new WritableStream({ write: (frame) => source.captureFrame(frame) });
    await heard.pipeTo(spoken, { signal: left });
    if (publication?.sid) await room.localParticipant?.unpublishTrack(publication.sid);
  } catch (error) {
    if (!left.aborted) console.error('echo failed', error);
  } finally {
    await source.close();
  }
}

cli.runApp(new ServerOptions({ agent: fileURLToPath(import.meta.url) }));
