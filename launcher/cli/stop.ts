/**
 * `room-launcher stop`: ends a room's agent, or one task. It asks nothing, and says what it did and
 * what follows of it.
 */
import type { RoomRow, StopAnswer, TaskRow } from '../admin/ports.ts';
import { delay } from '../lib/clock.ts';
import { EXIT_INTERRUPTED, EXIT_OK } from '../lib/exit-codes.ts';
import { adminClient, type AdminClient, failure } from './admin-client.ts';
import { choose, type Chosen, quoted } from './choose.ts';
import { CommandError, type CommandIo, printJson, waiting } from './io.ts';
import { oneLine } from './table.ts';

export interface StopOptions {
  readonly admin?: string;
  readonly json?: true;
  /** Until what was stopped has ended. */
  readonly wait?: true;
}

type Answer = Exclude<StopAnswer, 'unknown'>;
const LOOK_EVERY_MS = 500;

/** Resolves with the exit code: 0 also where nothing ran any more. */
export async function stop(word: string, options: StopOptions, io: CommandIo): Promise<number> {
  const client = adminClient(io, options.admin);
  const [rooms, tasks] = await Promise.all([client.rooms(), client.tasks()]);
  const chosen = choose(word, { rooms, tasks });
  const answer = await ask(chosen, client);
  const concerned = tasks.filter((task) => task.phase !== 'ended' && isMeant(task, chosen));
  if (!options.json) io.stdout.write(`${oneLine(sentence(chosen, answer, concerned))}\n`);
  if (options.wait && answer === 'accepted') {
    const what = `waiting for the end of ${quoted(word)}`;
    if (!(await waiting(io, what, () => ended(chosen, client, io)))) return EXIT_INTERRUPTED;
    if (!options.json) io.stdout.write('It has ended.\n');
  }
  if (options.json) {
    const room = roomOf(chosen, rooms);
    printJson(io, { answer, room, tasks: concerned.map(({ key }) => key) });
  }
  return EXIT_OK;
}

async function ask(chosen: Chosen, client: AdminClient): Promise<Answer> {
  const [what, name] =
    chosen.kind === 'room' ? ['rooms', chosen.room.sid] : ['tasks', chosen.task.key];
  const path = `/api/${what}/${encodeURIComponent(name)}/stop`;
  const answer = await client.ask(path, { method: 'POST' });
  if (answer.status === 202) return 'accepted';
  if (answer.status === 409) return 'nothing-to-stop';
  if (answer.status === 404) throw new CommandError(`${name} is over meanwhile`);
  throw await failure(answer, client.url);
}

/** What was done, for people. */
export function sentence(chosen: Chosen, answer: Answer, tasks: readonly TaskRow[]): string {
  const keys = tasks.map(({ key }) => key).join(', ');
  if (chosen.kind === 'room') {
    const what = `Room ${quoted(chosen.room.name)} (${chosen.room.sid})`;
    if (answer === 'nothing-to-stop') return `${what} has nothing to stop: ${chosen.room.reason}.`;
    const none = isInFlight(chosen.room) ? 'what starts for it is ended' : 'nothing runs for it';
    const now = keys === '' ? none : `${keys} is being ended`;
    return `${what}: ${now}, and nothing more is launched for it until it is over.`;
  }
  const { key, standby } = chosen.task;
  if (answer === 'nothing-to-stop') return `Task ${key} has ended already.`;
  if (standby !== null) return `Task ${key} is being ended; another standby takes its place.`;
  return `Task ${key} is being ended; its room gets no other.`;
}

function isMeant({ key, sid }: TaskRow, chosen: Chosen): boolean {
  return chosen.kind === 'room' ? sid === chosen.room.sid : key === chosen.task.key;
}

function roomSid(chosen: Chosen): string | null {
  return chosen.kind === 'room' ? chosen.room.sid : chosen.task.sid;
}

function roomOf(chosen: Chosen, rooms: readonly RoomRow[]) {
  const sid = roomSid(chosen);
  const name = rooms.find((room) => room.sid === sid)?.name ?? null;
  return sid === null ? null : { sid, name };
}

/** The engine may list a launch of it only later. */
function isInFlight({ state }: RoomRow): boolean {
  return state === 'launching' || state === 'starting';
}

/** Waits as long as it takes: how long agents may take to end is theirs. False: the user gave up. */
async function ended(
  chosen: Chosen,
  client: AdminClient,
  { clock, signal }: CommandIo,
): Promise<boolean> {
  while (!signal.aborted) {
    // Rooms first: what is in flight then is in the list of tasks that comes after, or still so.
    const rooms = chosen.kind === 'room' ? await client.rooms() : [];
    const live = (await client.tasks()).filter(({ phase }) => phase !== 'ended');
    const starts = rooms.some((room) => room.sid === roomSid(chosen) && isInFlight(room));
    if (!starts && !live.some((task) => isMeant(task, chosen))) return true;
    await delay(clock, LOOK_EVERY_MS, signal);
  }
  return false;
}
