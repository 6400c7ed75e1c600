/**
 * Makes a fresh clone ready to run: checks Node, installs the dependencies, builds, and builds the
 * agents' images. On Node's own modules alone, because nothing else is there yet.
 */
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { DockerError } from '../scripts/docker-client.mjs';
import { buildImage } from '../scripts/image-build.mjs';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends the process with one line when a step fails. */
export async function setUp() {
  checkNode();
  if (!isInstalled())
    await step('installing the dependencies', npm(['ci', '--no-audit', '--no-fund']));
  await step('building', npm(['run', '--silent', 'build']));
}

/** Images for containers, by default the runner's. Null when all were built, else why not: one line. */
export async function buildImages(names = ['agent']) {
  try {
    for (const name of names) await buildImage(name, { env: process.env, say });
    return null;
  } catch (error) {
    if (!(error instanceof DockerError)) throw error;
    if (error.output) say(error.output);
    return error.message;
  }
}

function checkNode() {
  const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node;
  const [major, minor = 0] = numbers(wanted);
  const [ourMajor, ourMinor] = numbers(process.versions.node);
  if (ourMajor > major || (ourMajor === major && ourMinor >= minor)) return;
  fail(`Node ${wanted} is needed, this is ${process.versions.node}`);
}

function numbers(version) {
  return version
    .replace(/[^\d.]/g, '')
    .split('.')
    .map(Number);
}

/** npm writes its own copy of the lock file last, when everything else is in place. */
function isInstalled() {
  const lock = statSync(join(root, 'package-lock.json'));
  const copy = statSync(join(root, 'node_modules', '.package-lock.json'), {
    throwIfNoEntry: false,
  });
  return copy !== undefined && copy.mtimeMs >= lock.mtimeMs;
}

function npm(args) {
  return ['npm', args, { shell: process.platform === 'win32' }];
}

/** Quiet unless it fails: then everything that the command said is shown. */
async function step(what, [file, args, options]) {
  process.stderr.write(`${what} …\n`);
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => said.push(part));
  const { code, why } = await ended(child);
  if (code === 0) return;
  process.stderr.write(Buffer.concat(said));
  fail(`${what} failed: \`${file} ${args.join(' ')}\` ${why}`);
}

function ended(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, why: `could not be run: ${error.message}` }));
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 1, why: signal ? `was ended by ${signal}` : `ended with ${code}` }),
    );
  });
}

/**
 * Runs a command with our terminal and resolves with its exit code. It has a process group of its
 * own and gets each signal from us, once: a Ctrl-C would reach it up to three times otherwise, from
 * the terminal, from npm and from here.
 */
export async function run(file, args, env = process.env) {
  const detached = process.platform !== 'win32';
  const child = spawn(file, args, { cwd: root, stdio: 'inherit', env, detached });
  const passed = new Set();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      if (!passed.has(signal)) child.kill(signal);
      passed.add(signal);
    });
  }
  const { code } = await ended(child);
  return code;
}

export function say(line) {
  process.stderr.write(`${line}\n`);
}

export function fail(line) {
  say(line);
  process.exit(1);
}
