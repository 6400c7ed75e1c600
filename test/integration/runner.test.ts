/** The runner against the real LiveKit server, with a scripted gateway between. */
import { ParticipantInfo_State, ParticipantInfo_Kind, JobStatus } from '@livekit/protocol';
import { Room } from '@livekit/rtc-node';
import { AccessToken } from 'livekit-server-sdk';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentIdentity, type RoomSid, TASK_ATTRIBUTE } from '../../launcher/core/room.ts';
import { join } from '../../launcher/dev/participant.ts';
import { jobIdOf } from '../../launcher/gateway/wire.ts';
import { roomToken } from '../../launcher/livekit/token.ts';
import { FakeGateway, type FakeJob, type FakeLine } from '../fakes/gateway.ts';
import { describeWithLiveKit, livekitServer } from '../support/livekit-server.ts';
import { agentFile, type Runner, startRunner } from '../support/runner.ts';
import { Cleanup } from '../support/cleanup.ts';
import { waitFor } from '../support/wait.ts';

const KEY = 'r-RM_thisRoom-1';

function joinToken(key: string, secret: string, room: string, identity: string): Promise<string> {
  const token = new AccessToken(key, secret, { identity });
  token.addGrant({ roomJoin: true, room });
  return token.toJwt();
}

describeWithLiveKit('runner', () => {
  const livekit = livekitServer();
  let cleanup: Cleanup;
  let gateway: FakeGateway;
  let rooms = 0;

  beforeEach(async () => {
    cleanup = new Cleanup();
    gateway = cleanup.use(await FakeGateway.start(KEY));
  });
  afterEach(async () => {
    await cleanup.run();
    expect(gateway.complaints).toEqual([]);
  });

  const start = (file = agentFile('agent.mjs')): Runner =>
    cleanup.use(startRunner(gateway, [file]));

  /** A room of the server and the job that serves it. */
  async function createJob(metadata = ''): Promise<FakeJob> {
    const { rooms: client, apiKey, apiSecret, url } = livekit();
    rooms += 1;
    const { sid, name } = await client.createRoom({ name: `room-${rooms}` });
    const request = { sid: sid as RoomSid, roomName: name, taskKey: KEY, agentName: 'tester' };
    const token = await roomToken({ apiKey, apiSecret }, request);
    return { url, token, room: { sid, name }, metadata };
  }

  async function hand(job: FakeJob): Promise<FakeLine> {
    const line = await gateway.line();
    expect(await line.offer(job)).toBe(true);
    line.assign(job);
    return line;
  }

  function activeAgent(job: FakeJob) {
    return waitFor('the agent in the room', async () => {
      const present = await livekit().rooms.listParticipants(job.room.name);
      return present.find(({ state }) => ParticipantInfo_State[state] === 'ACTIVE');
    });
  }

  /** A runner whose agent is active in a room. */
  async function serving(metadata = ''): Promise<[Runner, FakeLine, FakeJob]> {
    const runner = start();
    const job = await createJob(metadata);
    const line = await hand(job);
    await activeAgent(job);
    await runner.line('runner.started');
    return [runner, line, job];
  }

  async function guestToken(room: string, identity: string): Promise<string> {
    const { apiKey, apiSecret } = livekit();
    return joinToken(apiKey, apiSecret.reveal(), room, identity);
  }

  test('the example agent greets, echoes chat and audio, and ends with its room', async () => {
    const runner = start(agentFile('example'));
    const job = await createJob();
    const line = await hand(job);
    const agent = await activeAgent(job);
    expect(agent.kind).toBe(ParticipantInfo_Kind.AGENT);
    expect(agent.identity).toBe(agentIdentity(job.room.sid as RoomSid));
    expect(agent.attributes[TASK_ATTRIBUTE]).toBe(KEY);

    const chats: string[] = [];
    let tone = false;
    const guest = cleanup.use(
      await join({
        url: job.url,
        token: await guestToken(job.room.name, 'guest'),
        agentIdentity: agent.identity,
        toneHz: 440,
        on: { agent() {}, chat: (text) => chats.push(text), tone: () => (tone = true) },
      }),
    );
    await waitFor('the greeting', () => chats.some((text) => text.includes('Hello, guest')));
    await guest.say('ping');
    await waitFor('the chat echo', () => chats.includes('You said: ping'));
    await waitFor('the audio echo', () => tone);

    await livekit().rooms.deleteRoom(job.room.name);
    expect(await runner.exit).toBe(0);
    expect(chats).toHaveLength(2);
    const { code, reason } = await runner.line('runner.ended');
    expect({ code, reason }).toEqual({ code: 0, reason: 'room ended' });
    expect(line.reports).toEqual([JobStatus.JS_RUNNING, JobStatus.JS_SUCCESS]);
    expect(runner.output()).not.toContain(job.token);
    expect(runner.output()).not.toContain(gateway.taskSecret);
    expect(runner.output()).not.toContain(job.room.name);
  });

  test('user code sees its job as in a job process of agents-js, and ends in its order', async () => {
    const [runner, line] = await serving();
    line.terminate('AJ_another');
    line.terminate();
    expect(await runner.exit).toBe(0);
    const seen = runner.output().split('\n');
    expect(seen).toContain('TYPE JT_ROOM PREWARMED true');
    expect(seen).toContain('SAME CONTEXT true');
    const ended = seen.indexOf('SESSION END');
    expect(ended).toBeGreaterThan(seen.indexOf('ACTED'));
    expect(seen.indexOf('CALLBACK DONE, CONNECTED false')).toBeGreaterThan(ended);
  });

  test('a CommonJS agent shares its copy of agents-js with the runner', async () => {
    const runner = start(agentFile('agent.cjs'));
    const job = await createJob();
    await hand(job);
    await activeAgent(job);
    expect(runner.output()).toContain('SAME CONTEXT true');
    await livekit().rooms.deleteRoom(job.room.name);
    expect(await runner.exit).toBe(0);
  });

  test('prints the start-up split', async () => {
    const [runner] = await serving();
    const line = await runner.line('runner.started');
    const names = ['imported', 'prewarmed', 'registered', 'assigned', 'connected'];
    const times = names.map((name) => Number(line[`t_${name}_ms`]));
    expect(times.every((time, i) => time >= (times[i - 1] ?? 1))).toBe(true);
  });

  test.for([
    ['ctx.shutdown()', 'shut-down', 0, JobStatus.JS_SUCCESS],
    ['room.disconnect() by the agent', 'leave', 0, JobStatus.JS_SUCCESS],
    ['a throw in entry', 'throw-before-joining', 1, JobStatus.JS_FAILED],
    ['an uncaught exception', 'throw-later', 1, JobStatus.JS_FAILED],
  ] as const)('%s ends the job', async ([, metadata, code, status]) => {
    const runner = start();
    const line = await hand(await createJob(metadata));
    expect(await runner.exit).toBe(code);
    expect(runner.output()).toContain('CALLBACK DONE, CONNECTED false');
    expect(line.reports.at(-1)).toBe(status);
    if (metadata === 'throw-before-joining') {
      expect(runner.output()).toMatch(/"stack":"Error: entry went wrong.*agent\.mjs/);
    }
  });

  test('an unhandled rejection is logged, and the job goes on', async () => {
    const runner = start();
    const line = await hand(await createJob('reject-later'));
    await runner.line('agent code: unhandled rejection; the job goes on');
    line.terminate();
    expect(await runner.exit).toBe(0);
  });

  test('SIGTERM in the job: closed in order, 143; a second one changes nothing', async () => {
    const [runner] = await serving();
    runner.kill('SIGTERM');
    await runner.line('SIGTERM: ending the job');
    runner.kill('SIGTERM');
    expect(await runner.exit).toBe(143);
    expect(runner.output()).toContain('CALLBACK DONE');
    expect(runner.output()).toContain('SIGTERM while ending');
  });

  test('SIGTERM after a JobTermination keeps 0', async () => {
    const [runner, line] = await serving();
    line.terminate();
    await waitFor('the end to begin', () => runner.output().includes('SESSION END'));
    runner.kill('SIGTERM');
    expect(await runner.exit).toBe(0);
    expect(runner.output()).toContain('SIGTERM while ending');
  });

  test('a participant that is removed is done', async () => {
    const [runner, , job] = await serving();
    const identity = agentIdentity(job.room.sid as RoomSid);
    await livekit().rooms.removeParticipant(job.room.name, identity);
    expect(await runner.exit).toBe(0);
  });

  test('a newer participant of its identity displaces it', async () => {
    const [runner, , job] = await serving();
    const twin = new Room();
    cleanup.defer(() => twin.disconnect());
    await twin.connect(job.url, job.token);
    expect(await runner.exit).toBe(76);
  });

  test('leaves a room of the same name that is not its own', async () => {
    const runner = start();
    const job = await createJob('join-again');
    await hand({ ...job, room: { ...job.room, sid: 'RM_anEarlierLife' } });
    expect(await runner.exit).toBe(0);
    expect(runner.output()).not.toContain('ACTED');
    const { reason } = await runner.line('runner.ended');
    expect(reason).toBe('room gone: another has its name');
    expect(await livekit().rooms.listParticipants(job.room.name)).toEqual([]);
  });

  test('a room that cannot be joined', async () => {
    const runner = start();
    const job = await createJob();
    const token = await joinToken(livekit().apiKey, 'w'.repeat(32), job.room.name, 'agent');
    await hand({ ...job, token });
    expect(await runner.exit).toBe(75);
  });

  test('a lost socket is dialled again and the job goes on', async () => {
    const [runner, first] = await serving();
    first.drop();
    const second = await gateway.line(1);
    expect(first.jobHeader).toBeNull();
    expect(second.jobHeader).toBe(jobIdOf(KEY));
    await waitFor('its report', () => second.reports.includes(JobStatus.JS_RUNNING));
    expect(await second.offer(await createJob())).toBe(false);
    second.terminate();
    expect(await runner.exit).toBe(0);
  });

  test('refusals in mid-job do not end it', async () => {
    const [runner, first] = await serving();
    gateway.refuseWith = 401;
    first.drop();
    await waitFor('two refusals', () => gateway.refused >= 2);
    gateway.refuseWith = null;
    const second = await gateway.line(1);
    second.terminate();
    expect(await runner.exit).toBe(0);
  });

  test('a server that crashes', async () => {
    const [runner] = await serving();
    await livekit().server.kill();
    try {
      expect(await runner.exit).toBe(75);
    } finally {
      await livekit().server.start();
    }
  });
});
