/**
 * The docker client, for scripts that run before anything is installed.
 *
 * There may be several on PATH, and not each can build: without its buildx plugin a newer client has
 * only the legacy builder, which knows no secrets, while an old one has BuildKit built in. So each is
 * tried, in the order of PATH, instead of guessing from versions.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @typedef {Readonly<Record<string, string | undefined>>} Env */

const TRIAL = 'FROM scratch\nLABEL room-launcher.trial=1\n';

/** Something about Docker that the user can mend; the message is one line that says how. */
export class DockerError extends Error {
  name = 'DockerError';
}

/**
 * Each `docker` on PATH, in order. Throws `DockerError` when there is none.
 * @param {Env} env
 * @returns {string[]}
 */
export function dockerClients(env) {
  const files = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'docker'))
    .filter(isExecutable);
  if (files.length === 0) throw new DockerError('No docker client on PATH: install Docker.');
  return files;
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Null when an engine answers this client, else the client's words.
 * @param {string} file
 * @param {Env} env
 * @returns {Promise<string | null>}
 */
export async function engineProblem(file, env) {
  const asked = await command(file, ['version', '--format', '{{.Server.Version}}'], { env });
  return asked.code === 0 ? null : lastLine(asked.output);
}

/**
 * The first client that can build with secrets. Throws `DockerError`.
 * @param {Env} env
 * @returns {Promise<string>}
 */
export async function findBuilder(env) {
  const files = dockerClients(env);
  const problem = await engineProblem(files[0], env);
  if (problem !== null) {
    throw new DockerError(`No Docker engine answers: start it, or mend DOCKER_HOST (${problem}).`);
  }
  for (const file of files) if (await canBuild(file, env)) return file;
  const tried = files.join(', ');
  throw new DockerError(`No docker client on PATH has BuildKit (${tried}): install docker-buildx.`);
}

async function canBuild(file, env) {
  const args = ['build', '--quiet', '--secret', 'id=none,src=/dev/null', '-'];
  const built = await command(file, args, { env: withBuildKit(env), input: TRIAL });
  if (built.code !== 0) return false;
  await command(file, ['rmi', '--force', lastLine(built.output)], { env });
  return true;
}

/**
 * @param {Env} env
 * @returns {Env}
 */
export function withBuildKit(env) {
  return { ...env, DOCKER_BUILDKIT: '1' };
}

/**
 * Runs a command to its end, or until `signal` aborts. Resolves with its exit code and all that it
 * said; `heard` gets each part of that as it comes.
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ env: Env, input?: string, cwd?: string, signal?: AbortSignal, heard?: (part: string) => void }} options
 * @returns {Promise<{ code: number, output: string }>}
 */
export function command(file, args, { env, input = '', cwd, signal, heard }) {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, cwd, signal, stdio: ['pipe', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (part) => {
        output += part;
        heard?.(part);
      });
    }
    child.stdin.on('error', () => {}); // it ended without reading
    child.stdin.end(input);
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * @param {string} text
 * @returns {string}
 */
export function lastLine(text) {
  return text.trim().split('\n').at(-1).trim();
}
