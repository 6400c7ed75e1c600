/** The commands that ask a running launcher, as the command line has them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { EVENT_NAMES, type EventName } from '../lib/log.ts';
import { events, type EventsOptions } from './events.ts';
import { type CommandIo, ending } from './io.ts';
import { logs, type LogsOptions } from './logs.ts';
import { type ListOptions, rooms } from './rooms.ts';
import { stop, type StopOptions } from './stop.ts';
import { tasks } from './tasks.ts';

const TAIL_DEFAULT = 200;
const TAIL_MAX = 10_000;

/** Adds them to `program`; each hands its exit code to `done`. */
export function addOperating(program: Command, io: CommandIo, done: (code: number) => void): void {
  const finish = async (work: () => Promise<number>) => done(await ending(io, work));
  asking(program, 'rooms', 'live rooms: their state, their task, and why one has none')
    .option('--wide', "all columns, and nothing cut to the terminal's width")
    .option('--json', 'for programs')
    .action((options: ListOptions) => finish(() => rooms(options, io)))
    .addHelpText(
      'after',
      examples(
        'room-launcher rooms',
        `room-launcher rooms --json | jq '.[] | select(.state == "failed")'`,
      ),
    );
  asking(program, 'tasks', 'tasks of the engine, live and ended ones, newest first')
    .option('--wide', "all columns, and nothing cut to the terminal's width")
    .option('--json', 'for programs')
    .action((options: ListOptions) => finish(() => tasks(options, io)))
    .addHelpText(
      'after',
      examples('room-launcher tasks', 'room-launcher tasks --admin 10.0.0.7:8082'),
    );
  asking(program, 'logs <room|task>', 'what a task has written; of a room, its newest task')
    .option('-f, --follow', 'go on with what comes, until the task ends')
    .option('-n, --tail <lines>', 'how many lines of what was written before', tailOf, TAIL_DEFAULT)
    .action((word: string, options: LogsOptions) => finish(() => logs(word, options, io)))
    .addHelpText(
      'after',
      `${MEANT}${examples('room-launcher logs lobby -f', 'room-launcher logs r-RM_6sTqVhWFFZDN-1 --tail 1000')}`,
    );
  asking(program, 'stop <room|task>', "end a room's agent, or one task; asks nothing")
    .option('--wait', 'until it has ended, however long that takes')
    .option('--json', 'for programs')
    .action((word: string, options: StopOptions) => finish(() => stop(word, options, io)))
    .addHelpText(
      'after',
      `${MEANT}${examples('room-launcher stop lobby --wait', 'room-launcher stop s-default-0')}`,
    );
  asking(program, 'events', 'what happens, as it happens; those of the last minutes first')
    .option('--room <name|sid>', 'of this room alone')
    .option('--task <key>', 'of this task alone; the beginning of its key will do')
    .addOption(
      new Option('--event <name>', 'of this kind alone; may be given several times')
        .choices(EVENT_NAMES)
        .argParser((name: string, before: readonly EventName[] | undefined) => [
          ...(before ?? []),
          eventOf(name),
        ]),
    )
    .option('--debug', 'also each pass, and webhooks that were ignored')
    .option('--json', 'a line of JSON each')
    .action((options: EventsOptions) => finish(() => events(options, io)))
    .addHelpText(
      'after',
      examples(
        'room-launcher events --room lobby',
        'room-launcher events --event task.end --event run.fail --json',
      ),
    );
}

const MEANT = `
A room is meant by its name or its sid, a task by its key or as much of it as no other begins with.
`;

/** A command that asks a running launcher. */
function asking(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option('--admin <url>', "the launcher's admin listener; default: LAUNCHER_ADMIN_LISTEN's");
}

/** For the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}

function tailOf(text: string): number {
  const lines = Number(text);
  if (/^\d+$/.test(text) && lines <= TAIL_MAX) return lines;
  throw new InvalidArgumentError(`It must be a number of lines from 0 to ${TAIL_MAX}.`);
}

function eventOf(name: string): EventName {
  const known = EVENT_NAMES.find((each) => each === name);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`It must be one of ${EVENT_NAMES.join(', ')}.`);
}
