/** Builds our images. On Node's own modules alone, as it runs before anything is installed. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { command, DockerError, findBuilder, lastLine, withBuildKit } from './docker-client.mjs';

/** @typedef {import('./docker-client.mjs').Env} Env */
/**
 * @typedef {object} Image
 * @property {string} dockerfile
 * @property {string} context
 * @property {string} tag
 * @property {string} baseName the variable that replaces its base
 * @property {string} has what its base must have
 */

/** The repository's, or the published package's: there this file is below dist. */
export const ROOT = packageRoot(dirname(fileURLToPath(import.meta.url)));
export const AGENT_DOCKERFILE = 'agent-image/Dockerfile';
const PROGRESS_INTERVAL_MS = 5_000;

/** Where each image is built from, and which variable replaces its base. */
export const IMAGES = {
  agent: ours('agent-image', 'room-launcher-agent'),
  launcher: ours('launcher', 'room-launcher'),
  python: example('python', 'PYTHON_BASE_IMAGE'),
  javascript: example('javascript', 'BASE_IMAGE'),
};

/**
 * @param {string} folder
 * @param {string} name
 * @returns {Image}
 */
function ours(folder, name) {
  const dockerfile = `${folder}/Dockerfile`;
  return {
    dockerfile,
    context: '.',
    tag: `${name}:latest`,
    baseName: 'BASE_IMAGE',
    has: 'Node and npm',
  };
}

/**
 * An ordinary agent's image: it is built as users build theirs, with its folder alone.
 * @param {string} name
 * @param {string} baseName
 * @returns {Image}
 */
function example(name, baseName) {
  const context = `agent-image/examples/${name}`;
  const has = name === 'python' ? 'Python and pip' : 'Node and npm';
  const tag = `room-launcher-agent-${name}:latest`;
  return { dockerfile: `${context}/Dockerfile`, context, tag, baseName, has };
}

/**
 * Builds the image called `name` in `IMAGES` and resolves with its tag. Reads from `env`: BASE_IMAGE
 * or PYTHON_BASE_IMAGE, and where a bundle with a private CA is. `say` gets a line each few seconds.
 *
 * Throws `DockerError`: no client, no engine, no base image, or a build that failed; then `output`
 * is what the build said.
 */
export async function buildImage(name, { env, say }) {
  const { dockerfile, context, tag, baseName } = IMAGES[name];
  const ca = await caBundle(env);
  const docker = await findBuilder(env);
  const base = env[baseName] || defaultBase(dockerfile);
  await needBase(docker, base, IMAGES[name], { env, say });
  const args = ['build', '--file', dockerfile, '--tag', tag, '--build-arg', `BASE_IMAGE=${base}`];
  if (ca !== null) args.push('--secret', `id=ca,src=${ca}`);
  const built = await patiently(`building ${tag}`, say, () =>
    command(docker, [...args, context], { env: withBuildKit(env), cwd: ROOT }),
  );
  if (built.code === 0) return tag;
  const failed = new DockerError(`Building ${tag} failed: ${lastLine(built.output)}`);
  throw Object.assign(failed, { output: built.output });
}

/**
 * @param {string} folder
 * @returns {string}
 */
function packageRoot(folder) {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}

/**
 * What a Dockerfile is built on where no variable names another base.
 * @param {string} dockerfile
 * @returns {string}
 */
export function defaultBase(dockerfile) {
  const text = readFileSync(join(ROOT, dockerfile), 'utf8');
  return /^ARG BASE_IMAGE=(\S+)$/m.exec(text)[1];
}

/**
 * Pulled here and not by the build, so that its absence is told apart from a build that fails.
 * @param {string} docker
 * @param {string} base
 * @param {Pick<Image, 'baseName' | 'has'>} image
 * @param {{ env: Env, say: (line: string) => void }} how
 * @returns {Promise<void>}
 */
export async function needBase(docker, base, { baseName, has }, { env, say }) {
  const found = await command(docker, ['image', 'inspect', base], { env });
  if (found.code === 0) return;
  const pulled = await patiently(`pulling ${base}`, say, () =>
    command(docker, ['pull', base], { env }),
  );
  if (pulled.code === 0) return;
  const why = lastLine(pulled.output);
  throw new DockerError(
    `The base image ${base} cannot be pulled (${why}): set ${baseName} to one that has ${has}.`,
  );
}

/**
 * The bundle with which this machine trusts the package registry, or null where none is named. Only
 * the build's download step sees it.
 * @param {Env} env
 * @returns {Promise<string | null>}
 */
export async function caBundle(env) {
  const named = env.NODE_EXTRA_CA_CERTS || env.SSL_CERT_FILE || (await npmCaFile(env));
  if (!named) return null;
  try {
    accessSync(named, constants.R_OK);
  } catch {
    throw new DockerError(
      `The CA bundle ${named} cannot be read: mend NODE_EXTRA_CA_CERTS, SSL_CERT_FILE or npm's cafile.`,
    );
  }
  return named;
}

async function npmCaFile(env) {
  const { code, output } = await command('npm', ['config', 'get', 'cafile', '--silent'], { env });
  const file = lastLine(output);
  return code === 0 && file !== 'null' ? file : null;
}

/**
 * Does `work`, and says each few seconds what is being done and for how long.
 * @template T
 * @param {string | (() => string)} title
 * @param {(line: string) => void} say
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function patiently(title, say, work) {
  const sinceMs = Date.now();
  const what = typeof title === 'string' ? () => title : title;
  const tell = () => say(`${what()}: ${Math.round((Date.now() - sinceMs) / 1000)} s`);
  tell();
  const ticking = setInterval(tell, PROGRESS_INTERVAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(ticking);
  }
}
