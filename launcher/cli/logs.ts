/** `room-launcher logs`: what a task has written, and with `--follow` what it writes until it ends. */
import type { TaskRow } from '../admin/ports.ts';
import { delay } from '../lib/clock.ts';
import { EXIT_INTERRUPTED, EXIT_OK } from '../lib/exit-codes.ts';
import { adminClient, type AdminClient, failure } from './admin-client.ts';
import { choose, quoted } from './choose.ts';
import { CommandError, type CommandIo, waiting } from './io.ts';
import { oneLine } from './table.ts';

/** Looks at the list of tasks for the end of one whose output is over. */
const LOOKS_MAX = 20;
const LOOK_EVERY_MS = 250;

export interface LogsOptions {
  readonly admin?: string;
  readonly follow?: true;
  /** Lines of what was written before. */
  readonly tail: number;
}

/** Resolves with the exit code. */
export async function logs(word: string, options: LogsOptions, io: CommandIo): Promise<number> {
  const client = adminClient(io, options.admin);
  const key = await taskMeant(word, client);
  const follow = options.follow === true;
  const path = `/api/tasks/${encodeURIComponent(key)}/logs?tail=${options.tail}&follow=${follow}`;
  const answer = await waiting(io, `asking for the output of ${key}`, () => client.follow(path));
  if (!answer.ok) throw await failure(answer, client.url);
  const decoder = new TextDecoder();
  try {
    for await (const piece of answer.body ?? []) {
      io.stdout.write(decoder.decode(piece, { stream: true }));
    }
  } catch {
    if (io.signal.aborted) return EXIT_INTERRUPTED;
    throw new CommandError(`the launcher at ${client.url} went away; the task may still run`);
  }
  if (follow) await tellEnd(key, client, io);
  return EXIT_OK;
}

async function taskMeant(word: string, client: AdminClient): Promise<string> {
  const [rooms, tasks] = await Promise.all([client.rooms(), client.tasks()]);
  const chosen = choose(word, { rooms, tasks });
  if (chosen.kind === 'task') return chosen.task.key;
  const { name, task, state, reason } = chosen.room;
  if (task !== null) return task;
  throw new CommandError(`room ${quoted(name)} has no task (${state}: ${reason})`);
}

/** Says how the task ended. The launcher's list may show the end a little later than the output. */
async function tellEnd(key: string, client: AdminClient, io: CommandIo): Promise<void> {
  let task = await taskOf(key, client);
  for (let look = 1; look < LOOKS_MAX && task && task.verdict === null; look += 1) {
    await delay(io.clock, LOOK_EVERY_MS, io.signal);
    task = await taskOf(key, client);
  }
  if (task && task.phase !== 'ended') {
    throw new CommandError(`the launcher at ${client.url} cut the output off; ${key} still runs`);
  }
  if (!task) return;
  const { exitCode, verdict, reason } = task;
  const code = exitCode === null ? 'its exit code is lost' : `exit code ${exitCode}`;
  const why = verdict === null ? '' : `; ${verdict}: ${reason}`;
  io.stderr.write(`room-launcher: ${oneLine(`task ${key} has ended, ${code}${why}`)}\n`);
}

/** Undefined once it is removed. */
async function taskOf(key: string, client: AdminClient): Promise<TaskRow | undefined> {
  return (await client.tasks()).find((task) => task.key === key);
}
