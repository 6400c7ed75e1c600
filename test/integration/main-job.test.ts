/**
 * The demo's main job for one room, on the real LiveKit server, with the launcher played by log
 * lines and the agent by a participant: does it see what is there, and fail where something is not?
 */
import { PassThrough } from 'node:stream';
import {
  AudioSource,
  AudioStream,
  LocalAudioTrack,
  Room,
  RoomEvent,
  type Track,
  TrackPublishOptions,
} from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, expect, it } from 'vitest';
import { readLauncherLog } from '../../launcher/dev/launcher-log.ts';
import { runMainJob } from '../../launcher/dev/main-job.ts';
import { STEPS } from '../../launcher/dev/timeline.ts';
import { toneSamples } from '../../launcher/dev/tone.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import { describeWithLiveKit, livekitServer } from '../support/livekit-server.ts';
import { waitFor } from '../support/wait.ts';

const RATE = 48_000;

async function echo(room: Room, track: Track, change: (samples: Int16Array) => Int16Array) {
  const source = new AudioSource(RATE, 1);
  const ours = LocalAudioTrack.createAudioTrack('echo', source);
  await room.localParticipant?.publishTrack(ours, new TrackPublishOptions());
  for await (const frame of new AudioStream(track, RATE, 1)) {
    frame.data = change(frame.data);
    await source.captureFrame(frame).catch(() => {});
  }
}

describeWithLiveKit('the main job of the demo', () => {
  const livekit = livekitServer();
  const cleanups: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
  });

  /** Starts the job and gives what plays the launcher: a way to log. */
  function start(room: string) {
    const stream = new PassThrough();
    const { server, rooms } = livekit();
    const abort = new AbortController();
    const job = runMainJob({
      example: true,
      room,
      toneHz: 520,
      server,
      rooms,
      log: readLauncherLog([stream], () => {}),
      clock: systemClock,
      signal: abort.signal,
      trouble: new Promise<never>(() => {}),
      waiting: () => {},
    });
    cleanups.push(async () => {
      abort.abort();
      await job.catch(() => {});
    });
    const log = (event: string, fields: object) => {
      const time = new Date().toISOString();
      stream.write(`${JSON.stringify({ level: 'info', time, event, ...fields })}\n`);
    };
    return { job, log, abort };
  }

  const sidOf = (room: string) =>
    waitFor('the room', async () => (await livekit().rooms.listRooms([room]))[0]?.sid);

  /** Joins as the room's agent; echoes chat, and audio through `change`. */
  async function agent(
    name: string,
    sid: string,
    change: (samples: Int16Array) => Int16Array,
    greeting = 'Hello!',
  ) {
    const { url, apiKey, apiSecret } = livekit();
    const identity = `agent-${sid}`;
    const token = new AccessToken(apiKey, apiSecret.reveal(), { identity });
    token.kind = 'agent';
    token.addGrant({ roomJoin: true, room: name });
    const room = new Room();
    const say = (text: string) => room.localParticipant?.sendText(text, { topic: 'lk.chat' });
    room.registerTextStreamHandler('lk.chat', (reader) => {
      void reader.readAll().then((text) => say(`You said: ${text}`));
    });
    room.on(RoomEvent.TrackSubscribed, (track) => void echo(room, track, change));
    await room.connect(url, await token.toJwt(), { autoSubscribe: true, dynacast: false });
    cleanups.push(() => room.disconnect());
    await waitFor('the visitor', () => room.remoteParticipants.size > 0);
    if (greeting !== '') await say(greeting);
    return room;
  }

  it('sees every step of a room that goes well', async () => {
    const { job, log } = start('good');
    const sid = await sidOf('good');
    const task = `r-${sid}-1`;
    log('webhook.receive', { webhook_event: 'room_started', sid });
    log('task.launch', { task, sid, outcome: 'accepted' });
    log('task.register', { task });
    log('task.assign', { task, sid, outcome: 'assigned' });
    const room = await agent('good', sid, (samples) => samples);
    room.once(RoomEvent.Disconnected, () =>
      log('task.end', { task, sid, code: 0, verdict: 'served', reason: 'the room ended' }),
    );
    const done = await job;
    expect(done).toMatchObject({ room: 'good', task, exitCode: 0 });
    const steps = STEPS.filter((step) => step !== 'standby ready');
    expect(Object.keys(done.marks).toSorted()).toEqual(steps.toSorted());
    expect(done.marks['greeted']).toBeLessThanOrEqual(done.marks['chat echo'] ?? 0);
    expect(await livekit().rooms.listRooms(['good'])).toEqual([]);
  });

  it('goes on when no greeting comes', async () => {
    const { job, log } = start('mute');
    const sid = await sidOf('mute');
    const room = await agent('mute', sid, (samples) => samples, '');
    const end = { task: `r-${sid}-1`, sid, code: 0, verdict: 'served', reason: 'the room ended' };
    room.once(RoomEvent.Disconnected, () => log('task.end', end));
    const { marks } = await job;
    expect(Object.keys(marks)).toEqual(expect.arrayContaining(['chat echo', 'audio echo']));
    expect(marks).not.toHaveProperty('greeted');
  });

  it('is not content with sound that is not the tone', async () => {
    const { job, log } = start('silent');
    const sid = await sidOf('silent');
    let frames = 0;
    let trueSinceMs = 0;
    const room = await agent('silent', sid, (samples) => {
      frames += 1;
      if (frames <= 50) return samples.fill(0);
      if (frames <= 100) return toneSamples(660, RATE, frames * samples.length, samples.length);
      trueSinceMs ||= Date.now();
      return samples;
    });
    const end = { task: `r-${sid}-1`, sid, code: 0, verdict: 'served', reason: 'the room ended' };
    room.once(RoomEvent.Disconnected, () => log('task.end', end));
    const { marks } = await job;
    expect(trueSinceMs).toBeGreaterThan(0);
    expect(marks['audio echo']).toBeGreaterThanOrEqual(trueSinceMs);
  });

  it.each([
    [{ code: 1, verdict: 'failed', reason: 'agent code failed' }, /code 1, failed: agent code/],
    [{ code: 0, verdict: 'served', reason: 'it left' }, /code 0, served: it left/],
  ])('fails as soon as the task ends before its room: %o', async (fields, why) => {
    const { job, log } = start('doomed');
    const sid = await sidOf('doomed');
    log('task.end', { task: `r-${sid}-1`, sid, ...fields });
    await expect(job).rejects.toMatchObject({
      step: 'the task',
      message: expect.stringMatching(why),
    });
    await livekit().rooms.deleteRoom('doomed');
  });
});
