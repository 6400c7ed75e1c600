/**
 * The command `room-launcher build <agent file> --tag T`: an image with our runner, of a user's
 * agent. What can be told without Docker is checked first; the image gets its name last.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DockerError, findBuilder } from '../../scripts/docker-client.mjs';
import {
  AGENT_DOCKERFILE,
  caBundle,
  defaultBase,
  IMAGES,
  needBase,
  ROOT,
} from '../../scripts/image-build.mjs';
import { createProgress, type Progress, type Terminal } from '../dev/progress.ts';
import { systemClock } from '../lib/clock.ts';
import { variablesReader } from '../lib/env-file.ts';
import { AGENTS, type AgentPackage, readPackage } from './agent-package.ts';
import { compile, type Entry } from './compile.ts';
import { writeContext } from './context.ts';
import { type Docker, type Env, makeImage } from './image.ts';
import { BuildProblem, EXIT, usage } from './problem.ts';
import { tagProblem } from './tag.ts';

const ENV_FILE_SETTING = 'LAUNCHER_AGENT_ENV_FILE';
const BYTES_PER_MB = 1_000_000;
const NAMES_SHOWN = 10;

export interface BuildOptions {
  readonly tag: string;
  readonly baseImage?: string;
  /** Not `--env-file`: Node takes that one for itself, wherever it stands. */
  readonly checkEnv?: string;
  readonly verbose: boolean;
}

export interface BuildIo {
  readonly env: Env;
  readonly cwd: string;
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

interface Telling extends BuildIo {
  readonly progress: Progress;
  /** A line that stays. */
  readonly tell: (line: string) => void;
}

/**
 * Builds, and resolves with the exit code: 0; 64 for a tag, file or package that cannot work; 1 for
 * a step that failed; 130 when `io.signal` aborted it. What stopped it is on standard error. Leaves
 * no file, no container and no further name of an image behind.
 */
export async function build(
  agentFile: string,
  options: BuildOptions,
  io: BuildIo,
): Promise<number> {
  const progress = createProgress(io.stderr, systemClock);
  const tell = (line: string) => {
    progress.clear();
    io.stderr.write(`${line}\n`);
  };
  try {
    await run(agentFile, options, { ...io, progress, tell });
    return EXIT.built;
  } catch (error) {
    if (io.signal.aborted) {
      tell('interrupted');
      return EXIT.interrupted;
    }
    if (!(error instanceof BuildProblem) && !(error instanceof DockerError)) throw error;
    const problem =
      error instanceof BuildProblem ? error : new BuildProblem(EXIT.failed, error.message);
    if (problem.output !== '') tell(problem.output.trimEnd());
    tell(`room-launcher: ${problem.message}`);
    return problem.code;
  } finally {
    progress.clear();
  }
}

async function run(agentFile: string, options: BuildOptions, io: Telling): Promise<void> {
  const { env, cwd, progress, tell } = io;
  const wrongTag = tagProblem(options.tag);
  if (wrongTag !== null) throw usage(wrongTag);
  const agent = readPackage(resolve(cwd, agentFile), testedAgents());
  for (const warning of agent.warnings) tell(`warning: ${warning}`);
  const checkEnv = await readVariables(options.checkEnv ?? env[ENV_FILE_SETTING], cwd);
  progress.show(`preparing ${agent.entry}`);
  const entry = await compile(agent);
  progress.show('looking for Docker');
  const say = (line: string) => progress.show(line);
  const ca = await caBundle(env);
  const docker: Docker = {
    file: await findBuilder(env),
    env,
    signal: io.signal,
    say,
    ...(options.verbose && { heard: (part) => void io.stderr.write(part) }),
  };
  const base = options.baseImage || env['BASE_IMAGE'] || defaultBase(AGENT_DOCKERFILE);
  await needBase(docker.file, base, IMAGES.agent, { env, say });

  const context = await mkdtemp(join(tmpdir(), 'room-launcher-build-'));
  try {
    await fill(context, agent, entry, io);
    const { folder: packageFolder } = agent;
    const { tag } = options;
    const input = { tag, context, base, ca, packageFolder, entry: entry.path, checkEnv };
    const { bytes, notBundled } = await makeImage(docker, input);
    if (notBundled !== null) tell(`warning: ${costOfNoBundle(notBundled)}`);
    progress.clear();
    const lines = [`built ${tag}: ${Math.round(bytes / BYTES_PER_MB)} MB`, next(tag)];
    io.stdout.write(`${lines.join('\n')}\n`);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}

async function fill(
  context: string,
  agent: AgentPackage,
  entry: Entry,
  { tell }: Telling,
): Promise<void> {
  const runner = { root: ROOT, dockerfile: AGENT_DOCKERFILE };
  const leftOut = await writeContext(context, agent, entry, runner);
  if (leftOut.length === 0) return;
  const shown = leftOut.slice(0, NAMES_SHOWN).join(', ');
  const more = leftOut.length - NAMES_SHOWN;
  const all = more > 0 ? `${shown} and ${more} more` : shown;
  tell(`left out of the image, as they may hold secrets: ${all}`);
}

function costOfNoBundle(reason: string): string {
  return (
    `the agent could not be bundled (${reason}): it works, and starts more than half a second ` +
    'later (--verbose shows more; docs/build.md says what bundles)'
  );
}

function next(tag: string): string {
  return (
    `next: LAUNCHER_AGENT_IMAGE=${tag} room-launcher serve\n` +
    `or, to meet it on this machine: room-launcher dev --image ${tag} --stay`
  );
}

async function readVariables(
  file: string | undefined,
  cwd: string,
): Promise<Readonly<Record<string, string>>> {
  const read = await variablesReader(undefined)(file ? resolve(cwd, file) : undefined);
  if ('problem' in read) throw usage(read.problem);
  return read.env;
}

/** The release of agents-js that the runner is made for: this package's own. */
function testedAgents(): string {
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    dependencies: Readonly<Record<string, string>>;
  };
  const tested = dependencies[AGENTS];
  if (tested === undefined) throw new Error(`this package does not depend on ${AGENTS}`);
  return tested;
}
