/**
 * The image itself, by the docker client: built under a name of its own, checked by loading the
 * agent in it as a task would, and only then given the user's name. Without that an image that
 * cannot work would take the place of one that does.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { command, lastLine, withBuildKit } from '../../scripts/docker-client.mjs';
import { patiently } from '../../scripts/image-build.mjs';
import { delay, systemClock } from '../lib/clock.ts';
import { AGENT_FOLDER, BUILD_ARGS, NODE_FLAG } from './dockerfile.ts';
import { BuildProblem, EXIT, usage } from './problem.ts';
import { stepOf } from './steps.ts';

const CHECK = '/app/dist/agent-image/check.js';
/** As the Docker driver starts a task, and without a network: a check reaches nothing. */
const CONFINED =
  '--init --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --network none';
const CHECK_LIMIT_MS = 60_000;
const REMOVE_TRIES_MAX = 20;
const REMOVE_AGAIN_MS = 250;
/** Names that would change the docker client itself; the check goes without them. */
const CLIENT_ENV = /^(?:PATH|HOME|DOCKER_.*)$/;

export type Env = Readonly<Record<string, string | undefined>>;

export interface Docker {
  /** The client that can build. */
  readonly file: string;
  readonly env: Env;
  readonly signal: AbortSignal;
  /** Gets one line that says what is being done. */
  readonly say: (line: string) => void;
  /** Gets docker's own output as it comes. */
  readonly heard?: (part: string) => void;
}

export interface BuildInput {
  readonly tag: string;
  readonly context: string;
  readonly base: string;
  /** A bundle with a private CA, or null. */
  readonly ca: string | null;
  /** The package's folder, whose .npmrc the download may need. */
  readonly packageFolder: string;
  /** The file that the runner loads, relative to the package. */
  readonly entry: string;
  /** For loading the agent here: in no layer of the image. */
  readonly checkEnv: Readonly<Record<string, string>>;
}

export interface Built {
  readonly bytes: number;
  /** Why the agent is not bundled; null: it is. */
  readonly notBundled: string | null;
}

/** Builds, checks and tags. Throws `BuildProblem`. */
export async function makeImage(docker: Docker, input: BuildInput): Promise<Built> {
  const id = randomBytes(6).toString('hex');
  const draft = `room-launcher-build:${id}`;
  try {
    await buildDraft(docker, draft, input);
    const checked = await checkAgent(docker, draft, `room-launcher-check-${id}`, input);
    await must(docker, ['tag', draft, input.tag]);
    const size = await must(docker, ['image', 'inspect', '--format', '{{.Size}}', input.tag]);
    return { bytes: Number(lastLine(size)), notBundled: notBundled(checked) };
  } finally {
    await removeDraft(docker, draft);
  }
}

/**
 * Only this name goes where the image has another one; there is none after a failed build. Of a check
 * that was interrupted the engine may still be removing the container, and keeps its image until then.
 */
async function removeDraft({ file, env }: Docker, draft: string): Promise<void> {
  for (let tries = 0; tries < REMOVE_TRIES_MAX; tries += 1) {
    await command(file, ['rmi', draft], { env });
    const left = await command(file, ['image', 'inspect', draft], { env });
    if (left.code !== 0) return;
    await delay(systemClock, REMOVE_AGAIN_MS);
  }
}

async function buildDraft(docker: Docker, draft: string, input: BuildInput): Promise<void> {
  const npmrc = join(input.packageFolder, '.npmrc');
  const args = ['build', '--progress', 'plain', '--target', 'image', '--tag', draft];
  for (const one of [`BASE_IMAGE=${input.base}`, ...BUILD_ARGS]) args.push('--build-arg', one);
  if (input.ca !== null) args.push('--secret', `id=ca,src=${input.ca}`);
  if (existsSync(npmrc)) args.push('--secret', `id=npmrc,src=${npmrc}`);

  let step = 'building the image';
  let rest = '';
  const heard = (part: string) => {
    docker.heard?.(part);
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    step = lines.map(stepOf).findLast((one) => one !== null) ?? step;
  };
  if (Object.keys(input.checkEnv).length > 0) {
    args.push('--build-arg', `LENT=${randomBytes(6).toString('hex')}`);
    args.push('--secret', 'id=agent-env,env=AGENT_ENV');
  }
  const env = { ...withBuildKit(docker.env), AGENT_ENV: JSON.stringify(input.checkEnv) };
  const built = await patiently(
    () => step,
    docker.say,
    () => command(docker.file, [...args, input.context], { env, signal: docker.signal, heard }),
  );
  if (built.code === 0) return;
  throw new BuildProblem(EXIT.failed, `${step} failed`, docker.heard ? '' : built.output);
}

/** What `check.js` says of the bundle. */
export function notBundled(checked: string): string | null {
  const reason = /^not bundled: (".*")$/m.exec(checked)?.[1];
  return reason === undefined ? null : String(JSON.parse(reason));
}

/**
 * Loads the agent's file in its image, with its dependencies, by the runner's own code. Resolves with
 * what was printed.
 */
async function checkAgent(
  docker: Docker,
  draft: string,
  name: string,
  { entry, checkEnv }: BuildInput,
): Promise<string> {
  const variables = Object.entries(checkEnv).filter(([one]) => !CLIENT_ENV.test(one));
  // By name alone: values would show in the list of processes.
  const flags = variables.flatMap(([one]) => ['--env', one]);
  const run = ['run', '--rm', '--name', name, ...CONFINED.split(' '), ...flags];
  const file = posix.join(AGENT_FOLDER, entry);
  const program = ['--entrypoint', 'node', draft, NODE_FLAG, CHECK, file];
  const env = { ...docker.env, ...Object.fromEntries(variables) };
  const limit = AbortSignal.timeout(CHECK_LIMIT_MS);
  const signal = AbortSignal.any([docker.signal, limit]);
  const checked = await patiently('checking the agent, in its image', docker.say, () =>
    command(docker.file, [...run, ...program], { env, signal }),
  );
  if (checked.code === 0) return checked.output;
  if (signal.aborted) await command(docker.file, ['rm', '--force', name], { env: docker.env });
  if (limit.aborted) {
    const seconds = CHECK_LIMIT_MS / 1000;
    throw new BuildProblem(EXIT.failed, `the agent file was not loaded within ${seconds} seconds`);
  }
  if (checked.code === EXIT.usage) throw usage(lastLine(checked.output));
  const why =
    checked.code === EXIT.failed
      ? 'the agent cannot run in its image'
      : `the check of the agent ended with code ${checked.code}`; // Docker's own, or a crash
  throw new BuildProblem(EXIT.failed, why, checked.output);
}

async function must({ file, env, signal }: Docker, args: readonly string[]): Promise<string> {
  const { code, output } = await command(file, args, { env, signal });
  if (code === 0) return output;
  throw new BuildProblem(EXIT.failed, `docker ${args[0]} failed: ${lastLine(output)}`);
}
