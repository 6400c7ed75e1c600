import {
  AvailabilityResponse,
  JobStatus,
  JobType,
  ParticipantPermission,
  type ServerMessage,
} from '@livekit/protocol';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Assignment, OFFER_TIMEOUT_MS } from '../../../launcher/gateway/assignment.ts';
import type { Look } from '../../../launcher/gateway/ports.ts';
import type { Worker } from '../../../launcher/gateway/worker.ts';
import { lookAgainMs, offerBackoffMs } from '../../../launcher/gateway/delays.ts';
import { LOOK_TIMEOUT_MS } from '../../../launcher/gateway/look.ts';
import { decodeServer, encodeServer } from '../../../launcher/gateway/wire.ts';
import type { RoomTokenRequest } from '../../../launcher/livekit/token.ts';
import { FakeClock } from '../../fakes/clock.ts';
import * as fixture from './fixture.ts';
import { deferred, gone, idle, JOB_ID, KEY, OFFER, offer, serving, wait } from './fixture.ts';

type Sent = ServerMessage['message'];

let clock: FakeClock;
let host: fixture.ScriptedHost;
let log: fixture.RecordingLog;
let minted: RoomTokenRequest[];
let mint: (request: RoomTokenRequest) => Promise<string>;
let assignment: Assignment;
let sent: Sent[];

const mintToken = (request: RoomTokenRequest) => mint(request);

function ports() {
  return { host, mintToken, taskLivekitUrl: 'wss://real.example', clock, log };
}

function worker(over: Partial<Worker> = {}): Worker {
  return {
    id: 'AW_1',
    agentName: 'own-name',
    permissions: undefined,
    registeredAtMs: clock.nowMs(),
    jobId: undefined,
    // By way of the wire, so that what workers would read is what is compared.
    send: (frame) => sent.push(decodeServer(encodeServer(frame)) ?? frame),
    ...over,
  };
}

const cases = () => sent.map((frame) => frame.case);
const answer = (over: ConstructorParameters<typeof AvailabilityResponse>[0] = {}) =>
  assignment.onAnswer(new AvailabilityResponse({ jobId: JOB_ID, available: true, ...over }));
const outcomes = () =>
  log.lines.filter((line) => line.message === 'task.assign').map((line) => line.fields['outcome']);
const settle = () => clock.advance(0);

beforeEach(() => {
  clock = new FakeClock();
  host = new fixture.ScriptedHost();
  log = new fixture.RecordingLog();
  minted = [];
  mint = async (request) => {
    minted.push(request);
    return 'room-token';
  };
  sent = [];
  assignment = new Assignment(KEY, ports());
});

afterEach(() => {
  assignment.disconnect();
  expect(clock.pending).toBe(0);
});

describe('the way to the job', () => {
  it('looks, offers, and assigns on yes', async () => {
    assignment.connect(worker());
    expect(assignment.state).toBe('waiting');
    await settle();
    expect(assignment.state).toBe('offered');
    answer();
    await settle();
    expect(assignment.state).toBe('assigned');
    expect(assignment.assignedAtMs).toBe(clock.nowMs());
    expect(cases()).toEqual(['availability', 'assignment']);
    expect(host.looked).toBe(1);
    expect(host.changes).toEqual([`assigned ${KEY}`]);
    expect(outcomes()).toEqual(['assigned']);
    expect(log.lines.at(-1)?.fields).toMatchObject({ task: KEY, sid: fixture.SID });
  });

  it('gives the job the form that LiveKit gives it, without turnPassword', async () => {
    assignment.connect(worker());
    await settle();
    answer();
    await settle();
    const [first, second] = sent;
    if (first?.case !== 'availability' || second?.case !== 'assignment') throw new Error('order');
    const nowNs = BigInt(clock.nowMs()) * 1_000_000n;
    for (const job of [first.value.job, second.value.job]) {
      expect(job).toMatchObject({
        id: JOB_ID,
        type: JobType.JT_ROOM,
        dispatchId: OFFER.dispatchId,
        metadata: OFFER.metadata,
        agentName: OFFER.agentName,
        room: { sid: OFFER.sid, name: OFFER.room.name, turnPassword: '' },
        state: { status: JobStatus.JS_RUNNING, startedAt: nowNs, updatedAt: nowNs },
      });
    }
    expect(second.value).toMatchObject({ url: 'wss://real.example', token: 'room-token' });
    expect(OFFER.room.turnPassword).toBe('turn-password');
  });

  it("asks for a token with the worker's permissions and participant, not its identity", async () => {
    const permissions = new ParticipantPermission({ canPublish: false, hidden: true });
    assignment.connect(worker({ permissions }));
    await settle();
    answer({
      participantIdentity: 'somebody',
      participantName: 'Ann',
      participantAttributes: { mood: 'good' },
    });
    await settle();
    expect(minted).toEqual([
      {
        sid: fixture.SID,
        roomName: fixture.ROOM_NAME,
        taskKey: KEY,
        agentName: 'greeter',
        permissions,
        participantName: 'Ann',
        participantAttributes: { mood: 'good' },
      },
    ]);
  });

  it("shows the worker's own agent name when the offer has none", async () => {
    host.looks = [{ decision: 'offer', job: { ...OFFER, agentName: '' } }];
    assignment.connect(worker());
    await settle();
    answer();
    await settle();
    expect(minted[0]).toMatchObject({ agentName: 'own-name' });
  });

  it('logs neither room name nor token', async () => {
    host.looks = [wait, offer];
    assignment.connect(worker());
    await clock.advance(lookAgainMs(1));
    answer({ available: false });
    await clock.advance(offerBackoffMs(1));
    answer({ participantIdentity: 'somebody' });
    await settle();
    expect(assignment.state).toBe('assigned');
    expect(JSON.stringify(log.lines)).not.toMatch(/secret-name|room-token|somebody|turn-password/);
  });
});

describe('offers that come to nothing', () => {
  it('are repeated after a growing delay when the worker refuses', async () => {
    assignment.connect(worker());
    await settle();
    for (const delayMs of [200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
      const offers = sent.length;
      answer({ available: false });
      expect(assignment.state).toBe('waiting');
      await clock.advance(delayMs - 1);
      expect(sent).toHaveLength(offers);
      await clock.advance(1);
      expect(sent).toHaveLength(offers + 1);
      expect(assignment.state).toBe('offered');
    }
    answer();
    await settle();
    expect(assignment.state).toBe('assigned');
    expect(log.of('warn')).toHaveLength(7);
  });

  it('expire, and a late yes to them is ignored', async () => {
    assignment.connect(worker());
    await settle();
    await clock.advance(OFFER_TIMEOUT_MS - 1);
    expect(assignment.state).toBe('offered');
    await clock.advance(1);
    expect(assignment.state).toBe('waiting');
    answer();
    await settle();
    expect(assignment.state).toBe('waiting');
    expect(cases()).toEqual(['availability']);
    await clock.advance(offerBackoffMs(1));
    expect(cases()).toEqual(['availability', 'availability']);
    expect(outcomes()).toEqual(['expired']);
  });

  it('are repeated when no token could be made', async () => {
    mint = () => Promise.reject(new Error('no key'));
    assignment.connect(worker());
    await settle();
    answer();
    await settle();
    expect(assignment.state).toBe('waiting');
    expect(log.of('warn')[0]?.fields).toMatchObject({ outcome: 'failed', reason: 'no key' });
    expect(cases()).toEqual(['availability']);
  });

  it('ignore answers for another job, before an offer, and after the first', async () => {
    assignment.connect(worker());
    answer();
    await settle();
    answer({ jobId: 'AJ_other' });
    await settle();
    expect(assignment.state).toBe('offered');
    answer();
    answer({ available: false });
    answer();
    await settle();
    answer({ available: false });
    expect(assignment.state).toBe('assigned');
    expect(cases()).toEqual(['availability', 'assignment']);
    expect(minted).toHaveLength(1);
  });

  it('die with the socket: its return is a new look and a new offer', async () => {
    assignment.connect(worker());
    await settle();
    assignment.disconnect();
    expect(assignment.state).toBe('waiting');
    expect(clock.pending).toBe(0);
    assignment.connect(worker());
    await settle();
    expect(host.looked).toBe(2);
    expect(assignment.state).toBe('offered');
  });

  it('are not assigned to a worker whose socket closed while the token was made', async () => {
    const token = deferred<string>();
    mint = () => token.promise;
    assignment.connect(worker());
    await settle();
    answer();
    assignment.disconnect();
    token.resolve('room-token');
    await settle();
    expect(assignment.state).toBe('waiting');
    expect(cases()).toEqual(['availability']);
  });
});

describe('a standby', () => {
  beforeEach(() => {
    host.looks = [idle];
    assignment.connect(worker());
    return settle();
  });

  it('waits without looking until it is told of a room, and is offered that at once', async () => {
    expect(assignment.state).toBe('waiting');
    await clock.advance(3_600_000);
    expect(host.looked).toBe(1);
    host.looks = [offer];
    assignment.offer();
    await settle();
    expect(assignment.state).toBe('offered');
    answer();
    await settle();
    expect(host.changes).toEqual([`assigned ${KEY}`]);
  });

  it('is looked for anew when it is told while a look is under way', async () => {
    const slow = deferred<Look>();
    host.looks = [slow.promise];
    assignment.offer();
    host.looks = [slow.promise, slow.promise, offer];
    assignment.offer();
    slow.resolve(idle);
    await settle();
    expect(assignment.state).toBe('offered');
  });

  it.each([
    ['refused', async () => answer({ available: false })],
    ['expired', () => clock.advance(OFFER_TIMEOUT_MS)],
  ])('tells when an offer was %s, and waits again', async (change, comesToNothing) => {
    host.looks = [idle, offer, idle];
    assignment.offer();
    await settle();
    await comesToNothing();
    expect(host.changes).toEqual([`${change} ${KEY}`]);
    await clock.advance(60_000);
    expect(assignment.state).toBe('waiting');
    expect(cases()).toEqual(['availability']);
  });

  it('gives a room back as long as it was not offered it', async () => {
    expect(assignment.withdraw()).toBe(true);
    host.looks = [wait];
    assignment.offer();
    await settle();
    expect(assignment.withdraw()).toBe(true);
    await clock.advance(60_000);
    expect(host.looked).toBe(2);
    expect(cases()).toEqual([]);
  });

  it('may say yes to what it was offered: nothing comes of that', async () => {
    host.looks = [offer];
    assignment.offer();
    await settle();
    expect(assignment.withdraw()).toBe(false);
    answer();
    await settle();
    expect(assignment.state).toBe('waiting');
    expect(cases()).toEqual(['availability']);
  });

  it('that said yes is sent no job that was taken back while its token was made', async () => {
    const token = deferred<string>();
    mint = () => token.promise;
    host.looks = [offer];
    assignment.offer();
    await settle();
    answer();
    expect(assignment.withdraw()).toBe(false);
    token.resolve('room-token');
    await settle();
    expect(cases()).toEqual(['availability']);
  });

  it('on its job keeps it', async () => {
    host.looks = [offer];
    assignment.offer();
    await settle();
    answer();
    await settle();
    expect(assignment.withdraw()).toBe(false);
    assignment.offer();
    await settle();
    expect(assignment.state).toBe('assigned');
    expect(cases()).toEqual(['availability', 'assignment']);
  });

  it('that hung up is told of no room', async () => {
    assignment.disconnect();
    host.looks = [offer];
    assignment.offer();
    await settle();
    expect(host.looked).toBe(1);
  });
});

describe('the look', () => {
  it('is repeated once right before the assignment when the answer took long', async () => {
    assignment.connect(worker());
    await settle();
    await clock.advance(1_001);
    answer();
    await settle();
    expect(host.looked).toBe(2);
    expect(assignment.state).toBe('assigned');
  });

  it.each([
    ['gone', gone, 'ended', ['availability', 'termination']],
    ['wait', wait, 'waiting', ['availability']],
    ['serving', serving, 'assigned', ['availability']],
  ])('before the assignment may say %s', async (_name, second, state, frames) => {
    host.looks = [offer, second];
    assignment.connect(worker());
    await clock.advance(1_001);
    answer();
    await settle();
    expect(assignment.state).toBe(state);
    expect(cases()).toEqual(frames);
    expect(minted).toEqual([]);
  });

  it('waits and looks again after 0.2, 0.5, 1, 2, 5, 5 s', async () => {
    host.looks = [wait];
    assignment.connect(worker());
    await settle();
    for (const [n, delayMs] of [200, 500, 1_000, 2_000, 5_000, 5_000].entries()) {
      expect(host.looked).toBe(n + 1);
      await clock.advance(delayMs - 1);
      expect(host.looked).toBe(n + 1);
      await clock.advance(1);
    }
    host.looks = [offer];
    await clock.advance(5_000);
    expect(assignment.state).toBe('offered');
  });

  it('that rejects or never settles reads as wait', async () => {
    host.looks = [new Error('LiveKit is away'), new Promise(() => {}), offer];
    assignment.connect(worker());
    await settle();
    expect(assignment.state).toBe('waiting');
    await clock.advance(lookAgainMs(1));
    expect(host.looked).toBe(2);
    await clock.advance(LOOK_TIMEOUT_MS);
    expect(host.aborted).toBeGreaterThan(0);
    await clock.advance(lookAgainMs(2));
    expect(assignment.state).toBe('offered');
  });

  it('is one at a time: none is begun while one is under way', async () => {
    const slow = deferred<typeof wait>();
    host.looks = [slow.promise, offer];
    assignment.connect(worker());
    await clock.advance(LOOK_TIMEOUT_MS - 1);
    expect(host.looked).toBe(1);
    slow.resolve(wait);
    await clock.advance(lookAgainMs(1));
    expect(host.looked).toBe(2);
    expect(assignment.state).toBe('offered');
  });

  it('is dropped with the socket', async () => {
    const slow = deferred<typeof offer>();
    host.looks = [slow.promise];
    assignment.connect(worker());
    assignment.disconnect();
    slow.resolve(offer);
    await settle();
    expect(cases()).toEqual([]);
    expect(host.aborted).toBe(1);
  });
});

describe('a room that is gone', () => {
  it('before the offer ends the task, and nothing is ever offered', async () => {
    host.looks = [gone, offer];
    assignment.connect(worker());
    await settle();
    expect(assignment.state).toBe('ended');
    expect(sent).toMatchObject([{ case: 'termination', value: { jobId: JOB_ID } }]);
    answer();
    assignment.onJobs([JOB_ID]);
    await clock.advance(60_000);
    expect(assignment.state).toBe('ended');
    expect(cases()).toEqual(['termination']);
    expect(host.looked).toBe(1);
  });

  it('after the offer: a yes to it changes nothing', async () => {
    assignment.connect(worker());
    await settle();
    assignment.end();
    answer();
    await clock.advance(60_000);
    expect(cases()).toEqual(['availability', 'termination']);
  });

  it('while the token is made: the assignment is not sent', async () => {
    const token = deferred<string>();
    mint = () => token.promise;
    assignment.connect(worker());
    await settle();
    answer();
    assignment.end();
    token.resolve('room-token');
    await settle();
    expect(cases()).toEqual(['availability', 'termination']);
  });

  it('is told to a worker that comes back, even one that names its job', async () => {
    assignment.connect(worker());
    assignment.end();
    assignment.disconnect();
    assignment.connect(worker({ jobId: JOB_ID }));
    await settle();
    expect(assignment.state).toBe('ended');
    expect(cases()).toEqual(['termination', 'termination']);
  });

  it('keeps the time of the assignment', async () => {
    assignment.connect(worker({ jobId: JOB_ID }));
    const assignedAtMs = clock.nowMs();
    await clock.advance(1_000);
    assignment.end();
    assignment.end();
    expect(assignment.assignedAtMs).toBe(assignedAtMs);
    expect(cases()).toEqual(['termination', 'termination']);
  });
});

describe('a worker in mid-job', () => {
  it('is left alone when it comes back: no look, no offer', async () => {
    assignment.connect(worker());
    await settle();
    answer();
    await settle();
    assignment.disconnect();
    expect(assignment.state).toBe('assigned');
    assignment.connect(worker());
    assignment.onJobs([JOB_ID]);
    await clock.advance(60_000);
    expect(host.looked).toBe(1);
    expect(cases()).toEqual(['availability', 'assignment']);
    expect(outcomes()).toEqual(['assigned']);
  });

  it('is known by naming its job when it dials', async () => {
    assignment.connect(worker({ jobId: JOB_ID }));
    await settle();
    expect(assignment.state).toBe('assigned');
    expect(host.looked).toBe(0);
    expect(host.changes).toEqual([`assigned ${KEY}`]);
    expect(outcomes()).toEqual(['resumed']);
  });

  it('is known by its agent in the room', async () => {
    host.looks = [serving];
    assignment.connect(worker());
    await settle();
    expect(assignment.state).toBe('assigned');
    expect(sent).toEqual([]);
  });

  it.each(['while looking', 'when offered'])('is known by migrateJob %s', async (when) => {
    assignment.connect(worker());
    if (when === 'when offered') await settle();
    assignment.onJobs(['AJ_other', JOB_ID]);
    answer();
    await clock.advance(60_000);
    expect(assignment.state).toBe('assigned');
    expect(cases()).not.toContain('assignment');
    expect(minted).toEqual([]);
  });

  it('is not known by the job of another task', async () => {
    assignment.connect(worker({ jobId: 'AJ_other' }));
    assignment.onJobs(['AJ_other']);
    await settle();
    expect(assignment.state).toBe('offered');
  });
});

describe('whatever happens in whatever order', () => {
  const step = fc.constantFrom(
    'connect',
    'resume',
    'disconnect',
    'yes',
    'no',
    'migrate',
    'end',
    'time',
  );
  const look = fc.constantFrom(offer, wait, gone, serving, new Error('away'));

  it('assigns at most once, never without an offer, and nothing after the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.array(look), async (steps, looks) => {
        sent = [];
        host.looks = [...looks, offer];
        host.looked = 0;
        assignment = new Assignment(KEY, ports());
        let connected = false;
        for (const now of steps) {
          if (now === 'disconnect' && connected) assignment.disconnect();
          if ((now === 'connect' || now === 'resume') && !connected) {
            assignment.connect(worker({ jobId: now === 'resume' ? JOB_ID : undefined }));
          }
          connected = now === 'disconnect' ? false : connected || /connect|resume/.test(now);
          if (now === 'yes' || now === 'no') answer({ available: now === 'yes' });
          if (now === 'migrate') assignment.onJobs([JOB_ID]);
          if (now === 'end') assignment.end();
          await clock.advance(now === 'time' ? 1_500 : 0);
        }
        assignment.disconnect();
        const order = cases();
        const assigned = order.indexOf('assignment');
        const ended = order.indexOf('termination');
        expect(order.filter((name) => name === 'assignment').length).toBeLessThanOrEqual(1);
        if (assigned >= 0) {
          expect(order.slice(0, assigned)).toContain('availability');
          expect(order.slice(assigned + 1)).not.toContain('availability');
        }
        if (ended >= 0) {
          expect(new Set(order.slice(ended))).toEqual(new Set(['termination']));
        }
        expect(clock.pending).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});
