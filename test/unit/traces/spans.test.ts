import { expect, test } from 'vitest';
import type { EventName, Fields, Told } from '../../../launcher/lib/log.ts';
import { StartUps } from '../../../launcher/telemetry/start-ups.ts';
import { attemptTrace, standbyTrace } from '../../../launcher/telemetry/traces-ids.ts';
import { type SpanRecord, SpanTeller } from '../../../launcher/telemetry/traces-spans.ts';

const SID = 'RM_1';
const TASK = 'r-RM_1-1';
const STANDBY = 's-default-0-12345678';

/** A launcher's life, as its events tell it. */
function life() {
  const spans: SpanRecord[] = [];
  const startUps = new StartUps();
  const teller = new SpanTeller('us', startUps, (span) => void spans.push(span));
  const tell = (atMs: number, event: EventName, fields: Fields, level: Told['level'] = 'info') => {
    startUps.listener({ atMs, event, level, fields });
    teller.listener({ atMs, event, level, fields });
  };
  const webhook = (atMs: number, webhook_event: string, sid = SID) =>
    tell(atMs, 'webhook.receive', { sid, webhook_event });
  const launch = (atMs: number, outcome: string, attempt: number, more: Fields = {}) => {
    const id = { task: `r-${SID}-${attempt}`, sid: SID, attempt, profile: 'default' };
    const level = outcome === 'accepted' ? 'info' : 'warn';
    tell(atMs, 'task.launch', { ...id, outcome, took_ms: 10, ...more }, level);
  };
  const end = (atMs: number, fields: Fields, level: Told['level'] = 'info') => {
    const good = { verdict: 'served', reason: 'the job was done', code: 0 };
    tell(atMs, 'task.end', { task: TASK, sid: SID, attempt: 1, ...good, ...fields }, level);
  };
  /** Name, start and end of each, in the order in which they were told. */
  const times = () => spans.map(({ name, startMs, endMs }) => [name, startMs, endMs]);
  const roots = () => spans.filter(({ root }) => root);
  return { spans, tell, webhook, launch, end, times, roots };
}

/** From registration to the room, for a task that was launched. */
function joins({ tell }: ReturnType<typeof life>, task: string, atMs: number, sid = SID) {
  tell(atMs, 'task.register', { task });
  tell(atMs + 10, 'task.assign', { task, sid, outcome: 'assigned' });
  tell(atMs + 50, 'task.active', { task, sid, attempt: 1 });
}

test('an attempt from its webhook to its end; children are told as they end', () => {
  const one = life();
  one.webhook(100, 'room_started');
  one.launch(130, 'accepted', 1);
  joins(one, TASK, 200);
  expect(one.times()).toEqual([
    ['launch', 120, 130],
    ['start', 130, 200],
    ['assign', 200, 210],
    ['join', 210, 250],
  ]);
  one.webhook(800, 'room_finished');
  one.end(900, { created_at_ms: 125 });
  expect(one.times().slice(4)).toEqual([
    ['serve', 250, 800],
    ['ending', 800, 900],
    ['attempt', 100, 900],
  ]);
  const trace = attemptTrace('us', TASK, SID);
  expect(one.spans.map((span) => span.trace)).toEqual(Array(7).fill(trace));
  expect(one.spans.filter(({ error }) => error !== undefined)).toEqual([]);
  expect(one.roots()).toEqual([one.spans.at(-1)]);
  expect(one.spans.at(-1)?.attributes).toEqual({
    'room_launcher.deployment': 'us',
    'room_launcher.task': TASK,
    'room_launcher.sid': SID,
    'room_launcher.profile': 'default',
    'room_launcher.attempt': 1,
    'room_launcher.verdict': 'served',
    'room_launcher.reason': 'the job was done',
    'process.exit.code': 0,
    'error.type': undefined,
    'room_launcher.resumed': undefined,
  });
});

test('without a webhook an attempt begins with its launch; without its agent it serves nothing', () => {
  const one = life();
  one.launch(130, 'accepted', 1);
  // Of a later one, that it came late.
  one.webhook(300, 'participant_joined');
  one.tell(500, 'task.ending', { task: TASK, sid: SID, cause: 'never-joined' });
  one.end(600, { verdict: 'failed', reason: 'it never joined', code: 143 }, 'warn');
  expect(one.times()).toEqual([
    ['launch', 120, 130],
    ['ending', 500, 600],
    ['attempt', 120, 600],
  ]);
  expect(one.roots()).toMatchObject([
    {
      error: 'it never joined',
      attributes: { 'error.type': 'failed', 'process.exit.code': 143 },
    },
  ]);
});

test('a retry has a trace of its own, from its launch, linked to the attempt before it', () => {
  const one = life();
  one.webhook(100, 'room_started');
  one.launch(130, 'accepted', 1);
  one.end(300, { verdict: 'failed', reason: 'agent code failed', code: 1 }, 'warn');
  one.launch(900, 'accepted', 2);
  one.end(950, { task: 'r-RM_1-2', attempt: 2 });
  const [first, second] = one.roots();
  expect(first?.links).toEqual([]);
  expect(second).toMatchObject({ startMs: 890, links: [first?.trace] });
  expect(second?.trace.traceId).not.toBe(first?.trace.traceId);
});

test('launches that come to nothing are attempts that failed', () => {
  const one = life();
  one.webhook(100, 'room_started');
  one.launch(130, 'refused', 1, { refusal: 'capacity', detail: 'none left' });
  one.tell(
    140,
    'task.launch',
    { task: TASK, sid: SID, outcome: 'refused', detail: 'none left' },
    'debug',
  );
  one.launch(230, 'refused', 2, { refusal: 'invalid', detail: 'no such image' });
  one.tell(240, 'run.fail', { sid: SID, reason: 'refused for good' }, 'warn');
  one.tell(240, 'run.fail', { sid: SID, reason: 'refused for good' }, 'warn');
  one.webhook(900, 'room_finished');
  expect(one.times()).toEqual([
    ['launch', 120, 130],
    ['attempt', 100, 220],
    ['launch', 220, 230],
    ['attempt', 220, 240],
  ]);
  expect(one.spans.map(({ error }) => error)).toEqual([
    'none left',
    'none left',
    'no such image',
    'no such image',
  ]);
});

test('a room that ends while its image is pulled', () => {
  const one = life();
  one.webhook(100, 'room_started');
  one.launch(130, 'refused', 1, { refusal: 'pulling', detail: 'pulling the image' });
  expect(one.spans).toMatchObject([{ name: 'launch', error: undefined }]);
  one.webhook(900, 'room_finished');
  expect(one.roots()).toMatchObject([{ startMs: 100, endMs: 900, error: 'pulling the image' }]);
});

test('an answer that was lost, then the same key again: one attempt', () => {
  const one = life();
  one.launch(130, 'unknown', 1, { detail: 'no answer' });
  one.launch(200, 'accepted', 1);
  one.end(900, {});
  expect(one.times()).toEqual([
    ['launch', 120, 130],
    ['launch', 190, 200],
    ['attempt', 120, 900],
  ]);
});

test('a worker that registers before the engine has answered', () => {
  const one = life();
  one.tell(125, 'task.register', { task: TASK });
  one.launch(130, 'accepted', 1);
  expect(one.times()).toEqual([
    ['launch', 120, 130],
    ['start', 120, 125],
  ]);
});

test('a standby waits in a trace of its own; its attempt begins with the webhook', () => {
  const one = life();
  const id = { task: STANDBY, profile: 'default' };
  one.tell(20, 'task.launch', { ...id, outcome: 'accepted', took_ms: 10 });
  one.tell(50, 'task.register', { task: STANDBY });
  one.webhook(5_000, 'room_started');
  const assign = { task: STANDBY, sid: SID };
  one.tell(5_010, 'task.assign', { ...assign, outcome: 'expired', reason: 'no answer' }, 'warn');
  one.tell(5_030, 'task.assign', { ...assign, outcome: 'assigned' });
  one.tell(5_080, 'task.active', { ...assign, attempt: 1 });
  one.end(9_000, { task: STANDBY });
  expect(one.times()).toEqual([
    ['launch', 10, 20],
    ['start', 20, 50],
    ['assign', 5_000, 5_010],
    ['standby', 10, 5_030],
    ['assign', 5_000, 5_030],
    ['join', 5_030, 5_080],
    ['serve', 5_080, 9_000],
    ['attempt', 5_000, 9_000],
  ]);
  const [waiting, attempt] = [standbyTrace('us', STANDBY), attemptTrace('us', STANDBY, SID)];
  const traces = [waiting, waiting, attempt, waiting, attempt, attempt, attempt, attempt];
  expect(one.spans.map((span) => span.trace)).toEqual(traces);
  expect(one.spans.at(-1)).toMatchObject({ root: true, links: [waiting] });
  expect(one.spans[2]).toMatchObject({
    error: 'no answer',
    attributes: { 'error.type': 'expired' },
  });
});

test('a standby that serves as a retry begins with its assignment, and links to both', () => {
  const one = life();
  one.tell(20, 'task.launch', { task: STANDBY, outcome: 'accepted', took_ms: 10 });
  one.webhook(100, 'room_started');
  one.launch(130, 'accepted', 1);
  one.end(300, { verdict: 'failed', reason: 'agent code failed', code: 1 }, 'warn');
  one.tell(400, 'task.assign', { task: STANDBY, sid: SID, outcome: 'assigned' });
  one.end(900, { task: STANDBY });
  const links = [attemptTrace('us', TASK, SID), standbyTrace('us', STANDBY)];
  expect(one.roots().at(-1)).toMatchObject({ startMs: 400, endMs: 900, links });
});

test('standbys that never had a room', () => {
  const one = life();
  const id = { task: STANDBY, profile: 'default' };
  const refused = { outcome: 'refused', refusal: 'invalid', detail: 'no such image', took_ms: 5 };
  one.tell(20, 'task.launch', { ...id, ...refused }, 'warn');
  const other = { task: 's-default-1-00000001', profile: 'default' };
  one.tell(30, 'task.launch', { ...other, outcome: 'accepted', took_ms: 5 });
  one.tell(90, 'task.end', { ...other, verdict: 'failed', reason: 'exit 1', code: 1 }, 'warn');
  expect(one.roots()).toMatchObject([
    { name: 'standby', startMs: 15, endMs: 20, error: 'no such image' },
    { name: 'standby', startMs: 25, endMs: 90, error: 'exit 1' },
  ]);
});

test('a later launcher goes on with the trace: from when the task was made to its end', () => {
  const first = life();
  first.webhook(100, 'room_started');
  first.launch(130, 'accepted', 1);
  joins(first, TASK, 200);

  const second = life();
  second.tell(1_000, 'task.register', { task: TASK });
  second.tell(1_005, 'task.assign', { task: TASK, sid: SID, outcome: 'resumed' });
  second.tell(1_010, 'task.active', { task: TASK, sid: SID, attempt: 1 }, 'debug');
  second.end(5_000, { created_at_ms: 125 });
  expect(second.times()).toEqual([
    ['serve', 1_010, 5_000],
    ['attempt', 125, 5_000],
  ]);
  expect(second.roots()).toMatchObject([{ attributes: { 'room_launcher.resumed': true } }]);
  const both = [...first.spans, ...second.spans].map(({ trace }) => trace.traceId);
  expect(new Set(both).size).toBe(1);
});

test('what had ended before the launcher came is not told again', () => {
  const one = life();
  one.end(100, { created_at_ms: 50 }, 'debug');
  expect(one.spans).toEqual([]);
});

test('attempts that never end are forgotten: the newest 5,000 are remembered', () => {
  const one = life();
  for (let i = 0; i <= 5_000; i += 1) {
    const id = { task: `r-RM_${i}-1`, sid: `RM_${i}`, attempt: 1 };
    one.tell(i, 'task.launch', { ...id, outcome: 'refused', refusal: 'capacity' }, 'warn');
  }
  one.webhook(6_000, 'room_finished', 'RM_0');
  expect(one.roots()).toEqual([]);
  one.webhook(6_000, 'room_finished', 'RM_1');
  expect(one.roots()).toHaveLength(1);
});
