/**
 * `room-launcher events`: what the launcher tells, those of the last minutes first, then each as it
 * happens. A launcher that restarts is waited for, and read on from where it was.
 */
import { delay } from '../lib/clock.ts';
import { EXIT_INTERRUPTED } from '../lib/exit-codes.ts';
import type { EventName } from '../lib/log.ts';
import { adminClient, type AdminClient, failure } from './admin-client.ts';
import { CommandError, type CommandIo } from './io.ts';
import { SseReader } from './sse.ts';
import { lookOf, oneLine, type Paint, type Style } from './table.ts';
import { timeOfDay } from './time.ts';

export interface EventsOptions {
  readonly admin?: string;
  readonly json?: true;
  /** Name or sid. */
  readonly room?: string;
  /** A task's key, or its beginning. */
  readonly task?: string;
  readonly event?: readonly EventName[];
  /** Each pass, and what else is told at this level. */
  readonly debug?: true;
}

/** As `/api/events` sends it. */
export interface EventData {
  readonly time: string;
  readonly level: string;
  readonly event: string;
  readonly [field: string]: unknown;
}

const RETRY_MS = 1_000;
const NAME_WIDTH = 15;
const STYLES: Readonly<Record<string, Style>> = { warn: 'red', debug: 'dim' };
/** Shown in columns of their own, or not at all. */
const APART = new Set(['time', 'level', 'event', 'room', 'sid', 'task', 'reason', 'attempt']);

/** Follows until the user ends it; resolves with the exit code then. */
export async function events(options: EventsOptions, io: CommandIo): Promise<number> {
  const client = adminClient(io, options.admin);
  const print = printer(options, io);
  let lastId = '';
  let answered = false;
  while (!io.signal.aborted) {
    try {
      const body = await open(client, options, lastId);
      if (answered) io.stderr.write('room-launcher: the launcher is back\n');
      else if (io.stderr.isTTY) io.stderr.write(`following ${client.url}; Ctrl-C ends it\n`);
      answered = true;
      const decoder = new TextDecoder();
      const reader = new SseReader();
      for await (const piece of body) {
        for (const { id, data } of reader.take(decoder.decode(piece, { stream: true }))) {
          lastId = id;
          print(data);
        }
      }
    } catch (error) {
      if (!io.signal.aborted && !answered) throw error;
    }
    if (io.signal.aborted) break;
    io.stderr.write(`room-launcher: the launcher at ${client.url} is away; waiting for it\n`);
    await untilBack(client, io);
  }
  return EXIT_INTERRUPTED;
}

async function open(client: AdminClient, options: EventsOptions, lastId: string) {
  const query = new URLSearchParams(options.debug ? { level: 'debug' } : {});
  for (const name of options.event ?? []) query.append('event', name);
  const headers = lastId === '' ? {} : { 'Last-Event-ID': lastId };
  const answer = await client.ask(`/api/events?${query.toString()}`, { headers });
  if (!answer.ok || answer.body === null) throw await failure(answer, client.url);
  return answer.body;
}

/** Resolves when somebody answers again, or the user gives up. */
async function untilBack(client: AdminClient, { clock, signal }: CommandIo): Promise<void> {
  while (!signal.aborted) {
    await delay(clock, RETRY_MS, signal);
    try {
      const answer = await client.ask('/healthz');
      await answer.body?.cancel();
      if (answer.ok) return;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
    }
  }
}

function printer(options: EventsOptions, { stdout, env }: CommandIo): (data: string) => void {
  const { paint } = lookOf(stdout, env);
  return (data) => {
    const event = JSON.parse(data) as EventData;
    if (!isWanted(event, options)) return;
    stdout.write(options.json ? `${data}\n` : `${eventLine(event, paint)}\n`);
  };
}

/** By room and task here: a name's next life has another sid, and keys may be cut short. */
export function isWanted({ room, sid, task }: EventData, wanted: EventsOptions): boolean {
  const ofRoom = wanted.room === undefined || room === wanted.room || sid === wanted.room;
  const ofTask =
    wanted.task === undefined || (typeof task === 'string' && task.startsWith(wanted.task));
  return ofRoom && ofTask;
}

/** One line: when, what, which room and task, why, and the rest of what was told. */
export function eventLine(event: EventData, paint: Paint): string {
  const { time, level, room, sid, task, reason } = event;
  const rest = Object.entries(event)
    .filter(([name, value]) => !APART.has(name) && value != null && value !== '')
    .map(([name, value]) => `${name}=${plain(value)}`);
  const parts = [
    paint('dim', timeOfDay(time)),
    paint(STYLES[level] ?? null, event.event.padEnd(NAME_WIDTH)),
    ...[room ?? sid, task].filter((part) => part != null).map((part) => plain(part)),
    ...(reason == null || reason === '' ? [] : [plain(reason)]),
    ...(rest.length === 0 ? [] : [paint('dim', rest.join(' '))]),
  ];
  return parts.join('  ').trimEnd();
}

function plain(value: unknown): string {
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value));
}
