/** The command `room-launcher`: reads the command line, and says what it could not do and why. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { BuildOptions } from './build/command.ts';
import type { EngineChoice } from './dev/engine.ts';
import type { Terminal } from './dev/progress.ts';
import { doctor, type DoctorOptions } from './doctor.ts';
import { serve } from './serve.ts';

/** As sysexits(3) has it: the command was used incorrectly. */
export const EXIT_USAGE = 64;
const ROOMS_MAX = 50;
const STANDBYS_MAX = 20;
/** Commands that are part of the interface and not of this version. */
const NOT_BUILT = ['rooms', 'tasks', 'logs', 'stop'];
const HINT = 'see room-launcher --help';

export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** Runs one command line and resolves with the exit code. */
export async function runCli(args: readonly string[], io: CliIo): Promise<number> {
  let code = 0;
  const program = commandLine(io, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  return code;
}

function commandLine(io: CliIo, done: (code: number) => void): Command {
  const program = new Command('room-launcher')
    .description('Runs one short-lived LiveKit agent task for every LiveKit room.')
    .version(version(), '--version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(errorLine(text)),
    });
  program
    .command('serve', { isDefault: true })
    .description('receive webhooks and launch tasks; settings come from the environment')
    .allowExcessArguments()
    .addOption(new Option('--dry-run').hideHelp())
    .action(async (options: { dryRun?: true }, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) command.error(`unknown command or operand '${unknown}'`);
      if (options.dryRun) command.error(notBuilt('option', '--dry-run'));
      done(await serve(io));
    });
  addDev(program, io, done);
  addDoctor(program, io, done);
  addBuild(program, io, done);
  for (const name of NOT_BUILT) {
    program
      .command(name, { hidden: true })
      .allowUnknownOption()
      .allowExcessArguments()
      .action((_options: object, command: Command) => command.error(notBuilt('command', name)));
  }
  return program;
}

type DevChoice = EngineChoice & {
  readonly rooms: number;
  readonly standby: number;
  readonly stay: boolean;
};

function addDev(program: Command, io: CliIo, done: (code: number) => void): void {
  program
    .command('dev')
    .description('a LiveKit server, the launcher and a served room, all on this machine')
    .option('--rooms <n>', 'how many rooms at once', countFrom(1, ROOMS_MAX), 1)
    .option('--standby <n>', 'how many tasks wait for rooms', countFrom(0, STANDBYS_MAX), 0)
    .option('--stay', 'leave it running and print where to look; Ctrl-C ends it', false)
    .addOption(
      new Option('--engine <name>', 'what tasks run on; default: docker, if it can be').choices([
        'docker',
        'process',
      ]),
    )
    .addOption(
      new Option(
        '--network <name>',
        "of containers: the deployment's own bridge, or the host's",
      ).choices(['own', 'host']),
    )
    .addOption(
      new Option('--agent <name>', "our runner's example, or an ordinary LiveKit agent's image")
        .choices(['runner', 'python', 'javascript'])
        .default('runner'),
    )
    .action(async (options: DevChoice, command: Command) => {
      if (options.engine === 'process' && options.network !== undefined)
        command.error("option '--network' is for '--engine docker'");
      if (options.engine === 'process' && options.agent !== 'runner')
        command.error(`option '--agent ${options.agent}' is for '--engine docker'`);
      // Loaded only here: it brings LiveKit's native client along.
      const { dev } = await loaded(command, () => import('./dev/demo.ts'));
      done(await dev(options, io));
    });
}

function addDoctor(program: Command, io: CliIo, done: (code: number) => void): void {
  program
    .command('doctor')
    .description('check the settings, without starting anything, and show the profiles')
    .option('--config <file>', 'the YAML file; default: the one that LAUNCHER_CONFIG names')
    .option('--room <name>', 'also say which profile a room of this name gets')
    .option('--metadata <json>', 'with this metadata')
    .option(
      '--ask-engine',
      'also ask ECS for its cluster, task definitions and tasks; needs credentials of AWS',
    )
    .option('--json', 'for programs')
    .action(async (options: DoctorOptions, command: Command) => {
      if (options.metadata !== undefined && options.room === undefined)
        command.error("option '--metadata' needs '--room'");
      done(await doctor(options, io));
    });
}

function addBuild(program: Command, io: CliIo, done: (code: number) => void): void {
  program
    .command('build <agent-file>')
    .description('an image with the runner, of a JavaScript or TypeScript agent and its package')
    .requiredOption('--tag <name>', 'name of the image')
    .option('--base-image <image>', 'what it is built on; default: BASE_IMAGE, else the tested one')
    .option(
      '--check-env <file>',
      'variables that the agent reads at import, for its check alone; default: LAUNCHER_AGENT_ENV_FILE',
    )
    .option('--verbose', "show docker's own output", false)
    .action(async (file: string, options: BuildOptions, command: Command) => {
      // Loaded only here: it brings the compiler along.
      const { build } = await loaded(command, () => import('./build/command.ts'));
      done(await build(file, options, io));
    });
}

/** A command's own part. The launcher's image leaves out the packages that some of them need. */
async function loaded<T>(command: Command, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    return command.error(
      `the command '${command.name()}' needs packages that are not installed here, ` +
        "as in the launcher's image: run it from the npm package",
    );
  }
}

function notBuilt(what: 'command' | 'option', name: string): string {
  return `this version does not have the ${what} '${name}' yet`;
}

/** One line, however commander put it; ends with where to look. */
function errorLine(text: string): string {
  const plain = text
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .trim();
  return `room-launcher: ${plain.replace(/\.$/, '')}; ${HINT}\n`;
}

/** Reads a whole number within these bounds. */
function countFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= min && count <= max) return count;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  const { version: text } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  return text;
}
