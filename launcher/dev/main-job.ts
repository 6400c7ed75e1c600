/**
 * The main job for one room, as its users live it: a room is created, somebody joins, the agent
 * comes, greets, answers chat and sound, the room is deleted, and the task is gone, having served it.
 * Of an agent that is not one of the examples nothing is expected but that it comes and goes.
 */
import { AccessToken, type RoomServiceClient } from 'livekit-server-sdk';
import type { Clock } from '../lib/clock.ts';
import type { LauncherLog, LogRecord } from './launcher-log.ts';
import type { LiveKitServer } from './livekit-server.ts';
import { join } from './participant.ts';
import type { Marks, Step, Timeline } from './timeline.ts';
import { atMost, Gate, StepFailed, until, type Wait } from './wait.ts';

export interface MainJobOptions {
  readonly room: string;
  /** Is the agent one of the examples, which greet and repeat what they hear? */
  readonly example: boolean;
  /** A tone per room tells one room's sound from another's. */
  readonly toneHz: number;
  readonly server: LiveKitServer;
  readonly rooms: RoomServiceClient;
  readonly log: LauncherLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Rejects when the launcher has ended. */
  readonly trouble: Promise<never>;
  /** Called with what is being waited for. */
  readonly waiting: (step: string) => void;
}

export interface MainJob extends Timeline {
  /** Key of the task that served the room. */
  readonly task: string;
}

const CALL_DEADLINE_MS = 10_000;
const JOIN_DEADLINE_MS = 20_000;
const AGENT_DEADLINE_MS = 90_000;
const ECHO_DEADLINE_MS = 20_000;
/** Said once, it was seen to get lost on a machine out of breath; the answers show as much. */
const GREETING_LIMIT_MS = 10_000;
const END_DEADLINE_MS = 60_000;

/** Runs it once. Rejects with `JobFailed` for the first step that does not come about. */
export async function runMainJob(options: MainJobOptions): Promise<MainJob> {
  const { room, rooms, log, clock, waiting, signal } = options;
  const marks: Marks = {};
  const mark = (step: Step) => (marks[step] ??= clock.nowMs());
  let wait: Wait = options;
  const step: Stepper = (name, wanted, deadlineMs) => {
    waiting(name);
    return until(name, wanted, deadlineMs, wait);
  };
  let sid: string | undefined;
  try {
    // Creation and deletion are dated by their being asked for: all else is measured from there.
    mark('room created');
    const creating = rooms.createRoom({ name: room });
    ({ sid } = await step('the room to be created', creating, CALL_DEADLINE_MS));
    const ended = log.next(ofRoom('task.end', sid));
    let roomEnds = false;
    wait = { ...options, trouble: Promise.race([options.trouble, failure(ended, () => roomEnds)]) };
    wait.trouble.catch(() => {});

    await talk(options, sid, mark, step);

    roomEnds = true;
    mark('room deleted');
    await step('the room to be deleted', rooms.deleteRoom(room), CALL_DEADLINE_MS);
    const { fields, timeMs } = await step('the task to end', ended, END_DEADLINE_MS);
    const task = String(fields['task']);
    Object.assign(marks, launcherMarks(log, sid, task), { 'task ended': timeMs });
    return { room, marks, task, exitCode: Number(fields['code']) };
  } catch (error) {
    if (signal.aborted || !(error instanceof StepFailed)) throw error;
    const record =
      sid && (log.find(ofRoom('task.launch', sid)) ?? log.find(ofRoom('task.assign', sid)));
    const task = record && record.fields['task'];
    throw new JobFailed(room, error, typeof task === 'string' ? task : null);
  }
}

/** A step of the main job failed: in which room, and served by which task, if one was launched. */
export class JobFailed extends StepFailed {
  readonly room: string;
  readonly task: string | null;
  constructor(room: string, failed: StepFailed, task: string | null) {
    super(failed.step, failed.message, { cause: failed });
    this.room = room;
    this.task = task;
  }
}

function ofRoom(event: string, sid: string): (record: LogRecord) => boolean {
  return (record) => record.event === event && record.fields['sid'] === sid;
}

type Stepper = <T>(name: string, wanted: Promise<T>, deadlineMs: number) => Promise<T>;

/** Joins; an agent of the examples has to greet, answer a chat text and send the tone back. */
async function talk(
  options: MainJobOptions,
  sid: string,
  mark: (step: Step) => void,
  step: Stepper,
): Promise<void> {
  const { room, toneHz, server, example } = options;
  const question = `is anybody in ${sid}?`;
  const agent = new Gate();
  const greeting = new Gate();
  const answer = new Gate();
  const tone = new Gate();
  const seen = (name: Step, gate: Gate) => {
    mark(name);
    gate.open();
  };
  const joining = join({
    url: server.url,
    token: await joinToken(server, room, 'visitor'),
    agentIdentity: `agent-${sid}`,
    toneHz,
    on: {
      agent: () => seen('agent active', agent),
      chat: (text) => {
        // A text can overtake the news that its sender has joined.
        seen('agent active', agent);
        if (text.includes(question)) seen('chat echo', answer);
        else seen('greeted', greeting);
      },
      tone: () => seen('audio echo', tone),
    },
  });
  const visitor = await step('the visitor to join', joining, JOIN_DEADLINE_MS).catch((error) => {
    // A join that comes after all must not stay.
    void joining.then((late) => late[Symbol.asyncDispose]()).catch(() => {});
    throw error;
  });
  try {
    await step('the agent to join', agent.opened, AGENT_DEADLINE_MS);
    if (!example) return;
    const greeted = atMost(GREETING_LIMIT_MS, greeting.opened, options.clock);
    await step('the greeting', greeted, ECHO_DEADLINE_MS);
    await step('the chat to be sent', visitor.say(question), CALL_DEADLINE_MS);
    await step('the chat echo', answer.opened, ECHO_DEADLINE_MS);
    await step(`the ${toneHz} Hz tone to come back`, tone.opened, ECHO_DEADLINE_MS);
  } finally {
    await visitor[Symbol.asyncDispose]();
  }
}

/** Token with which a person joins one room. */
export function joinToken(
  { apiKey, apiSecret }: Pick<LiveKitServer, 'apiKey' | 'apiSecret'>,
  room: string,
  identity: string,
): Promise<string> {
  const token = new AccessToken(apiKey, apiSecret.reveal(), { identity, ttl: '1d' });
  token.addGrant({ roomJoin: true, room });
  return token.toJwt();
}

/** Rejects when the room's task ends in any way but well and after the room's end. */
async function failure(ended: Promise<LogRecord>, roomEnds: () => boolean): Promise<never> {
  const { fields } = await ended;
  const { code, verdict, reason } = fields;
  if (verdict === 'served' && roomEnds()) return new Promise<never>(() => {});
  const why = `it ended with code ${String(code)}, ${String(verdict)}: ${String(reason)}`;
  throw new StepFailed('the task', why);
}

/** The steps that only the launcher sees, as its log dates them. */
function launcherMarks(log: LauncherLog, sid: string, task: string): Marks {
  const when = (event: string, fields: Readonly<Record<string, string>>) =>
    log.find(
      (record) =>
        record.event === event &&
        Object.entries(fields).every(([name, value]) => record.fields[name] === value),
    )?.timeMs;
  const readyMs = when('standby.ready', { task });
  const cold = readyMs === undefined;
  const seen: readonly (readonly [Step, number | undefined])[] = [
    ['standby ready', readyMs],
    ['webhook', when('webhook.receive', { webhook_event: 'room_started', sid })],
    ['launch accepted', cold ? when('task.launch', { task, outcome: 'accepted' }) : undefined],
    ['task registered', cold ? when('task.register', { task }) : undefined],
    ['assigned', when('task.assign', { task, outcome: 'assigned' })],
  ];
  return Object.fromEntries(seen.filter(([, timeMs]) => timeMs !== undefined));
}
