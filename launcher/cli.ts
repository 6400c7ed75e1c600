/** The command `room-launcher`: reads the command line, and says what it could not do and why. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { BuildOptions } from './build/command.ts';
import type { EngineChoice } from './dev/engine.ts';
import type { Terminal } from './dev/progress.ts';
import { addOperating, examples } from './cli/commands.ts';
import { settingsHelp } from './config/reference.ts';
import type { DoctorOptions } from './doctor.ts';
import type { DryRunOptions } from './dry-run.ts';
import { systemClock } from './lib/clock.ts';
import { EXIT_USAGE } from './lib/exit-codes.ts';
import { holdHeapDown } from './lib/heap.ts';
import { ownVersion } from './lib/version.ts';

const ROOMS_MAX = 50;
const STANDBYS_MAX = 20;

/** At the end of `room-launcher --help`. */
const MORE = `
Exit codes: 0 done, 1 it could not be done, 64 wrong usage or settings, 130 interrupted.
Settings come from the environment and from the file that LAUNCHER_CONFIG names.
Each command has more, with examples: room-launcher <command> --help`;

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
    .version(ownVersion(), '--version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(errorLine(text, '')),
    });
  program.addHelpText('after', MORE);
  program
    .commandsGroup('Run:')
    .command('serve', { isDefault: true })
    .description('receive webhooks and launch tasks; settings come from the environment')
    .allowExcessArguments()
    .option('--dry-run', 'print the first plan, with reasons, and do nothing')
    .option('--json', 'the plan for programs')
    .option('--wide', "cut nothing of the plan to the terminal's width")
    .addHelpText('after', settingsHelp)
    .action(async (options: DryRunOptions & { dryRun?: true }, command: Command) => {
      const [unknown] = command.args;
      if (unknown !== undefined) command.error(`unknown command or operand '${unknown}'`);
      const { dryRun: dry, ...how } = options;
      if (!dry && Object.keys(how).length > 0)
        command.error("'--json' and '--wide' need '--dry-run'");
      // Each command loads its own part: those that only ask a launcher are to be quick.
      if (dry) {
        const { dryRun } = await import('./dry-run.ts');
        done(await dryRun(how, { ...io, clock: systemClock }));
      } else {
        holdHeapDown();
        const { serve } = await import('./serve.ts');
        done(await serve(io));
      }
    })
    .addHelpText(
      'after',
      examples(
        'room-launcher serve',
        'LAUNCHER_CONFIG=launcher.yaml room-launcher serve --dry-run',
      ),
    );
  addDev(program, io, done);
  program.commandsGroup('Prepare:');
  addBuild(program, io, done);
  addDoctor(program, io, done);
  program.commandsGroup('Look at a running launcher, and act:');
  addOperating(program, { ...io, clock: systemClock }, done);
  for (const command of program.commands) {
    const hint = command.name() === 'serve' ? '' : `${command.name()} `;
    command.configureOutput({ outputError: (text, write) => write(errorLine(text, hint)) });
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
    .addOption(
      new Option(
        '--image <name>',
        'an image of yours, of which nothing is expected but an agent',
      ).conflicts('agent'),
    )
    .action(async (options: DevChoice, command: Command) => {
      if (options.engine === 'process' && options.image !== undefined)
        command.error("option '--image' is for '--engine docker'");
      if (options.engine === 'process' && options.network !== undefined)
        command.error("option '--network' is for '--engine docker'");
      if (options.engine === 'process' && options.agent !== 'runner')
        command.error(`option '--agent ${options.agent}' is for '--engine docker'`);
      // Loaded only here: it brings LiveKit's native client along.
      const { dev } = await loaded(command, () => import('./dev/demo.ts'));
      done(await dev(options, io));
    })
    .addHelpText('after', examples('room-launcher dev --rooms 3', 'room-launcher dev --stay'));
}

function addDoctor(program: Command, io: CliIo, done: (code: number) => void): void {
  program
    .command('doctor')
    .description('look for what goes wrong in practice, and say what to do about it')
    .option('--config <file>', 'the YAML file; default: the one that LAUNCHER_CONFIG names')
    .option('--room <name>', 'also say which profile a room of this name gets')
    .option('--metadata <json>', 'with this metadata')
    .option('--probe', 'also make a room for a moment: webhooks, media, an agent for it')
    .addOption(
      new Option('--offline', 'the settings alone: ask nobody').conflicts(['probe', 'askEngine']),
    )
    .addOption(
      new Option(
        '--ask-engine',
        'the settings and the engine alone: LiveKit need not be there',
      ).conflicts('probe'),
    )
    .option('--json', 'for programs')
    .addHelpText('after', DOCTOR_HELP)
    .action(async (options: DoctorOptions, command: Command) => {
      if (options.metadata !== undefined && options.room === undefined)
        command.error("option '--metadata' needs '--room'");
      // Loaded only here: it brings an engine's library along.
      const { doctor } = await loaded(command, () => import('./doctor.ts'));
      done(await doctor(options, io));
    });
}

const DOCTOR_HELP = `
Examples:
  room-launcher doctor                                   beside the launcher, or before its start
  room-launcher doctor --probe                           a room is made, served and removed
  room-launcher doctor --offline --config launcher.yaml --room support-7

Exit codes: 0 nothing is wrong, 1 something is, 64 settings that \`serve\` would refuse,
130 ended before it had looked at everything`;

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
    })
    .addHelpText('after', examples('room-launcher build src/agent.ts --tag my-agent:1'));
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

/** One line, however commander put it; ends with where to look. */
function errorLine(text: string, command: string): string {
  const plain = text
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .trim();
  return `room-launcher: ${plain.replace(/\.$/, '')}; see room-launcher ${command}--help\n`;
}

/** Reads a whole number within these bounds. */
function countFrom(min: number, max: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (Number.isInteger(count) && count >= min && count <= max) return count;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}
