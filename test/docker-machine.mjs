/**
 * Gives this machine what the tests with containers need, and prints the base image to build from,
 * of Node or, where it is asked for, of Python:
 *
 *     BASE_IMAGE="$(node test/docker-machine.mjs)" && export BASE_IMAGE
 *     PYTHON_BASE_IMAGE="$(node test/docker-machine.mjs python)" && export PYTHON_BASE_IMAGE
 *
 * An engine: Debian's, installed and started where none answers (as root). A base image: Docker
 * Hub's where it can be pulled; else Debian by debootstrap with Node and npm from the npm registry,
 * made once and kept outside the clone, and on top of it Debian's Python. And busybox, of which the
 * tests' smallest image is made, and Docker's Compose. On Node's own modules alone. The second time
 * it only looks.
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import {
  command,
  dockerClients,
  DockerError,
  engineProblem,
  findBuilder,
  withBuildKit,
} from '../scripts/docker-client.mjs';
import { defaultBase } from '../scripts/image-build.mjs';
import { findCompose } from './compose.mjs';

const ENGINE_START_MS = 60_000;
const POLL_MS = 200;
const DEBIAN = 'bookworm';
const NODE = '24.21.0';
const NPM = '11.21.2';
const MADE_BASE = `room-launcher-base:${DEBIAN}`;
/** Says what a made base holds, so that a newer choice replaces it. */
const CONTENT = `${DEBIAN}-node-${NODE}-npm-${NPM}-${process.arch}`;

const MADE_PYTHON_BASE = `room-launcher-base-python:${DEBIAN}`;
/** Like Docker Hub's: `python`, and a pip that installs for the whole image. */
const ADD_PYTHON = [
  'apt-get -qq update',
  'apt-get -qq install -y --no-install-recommends python3 python3-pip python-is-python3',
  'rm -rf /var/lib/apt/lists/* /usr/lib/python3*/EXTERNALLY-MANAGED',
].join(' && ');

/** What tests make an image of (test/support/docker-engine.ts): this file, else that image. */
const BUSYBOX = '/bin/busybox';
const BUSYBOX_IMAGE = 'busybox:1.37';

const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
const cache = join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'room-launcher');

try {
  await needEngine();
  await needBusybox();
  if ((await findCompose(env)) === null) await install('docker-compose');
  const python = process.argv[2] === 'python';
  const base = python
    ? env.PYTHON_BASE_IMAGE || (await findPythonBase())
    : env.BASE_IMAGE || (await findBase());
  process.stdout.write(`${base}\n`);
} catch (error) {
  if (!(error instanceof DockerError)) throw error;
  say(error.message);
  process.exitCode = 1;
}

async function needEngine() {
  if ((await whyNoEngine()) === null) return;
  if (env.DOCKER_HOST) throw new DockerError(`DOCKER_HOST is set: ${await whyNoEngine()}`);
  if ((await run('dockerd', ['--version'])).code !== 0) await install('docker.io');
  say('starting dockerd');
  mkdirSync(cache, { recursive: true });
  const log = join(cache, 'dockerd.log');
  // Where another one is about to listen, this one ends by itself; it is the socket that counts.
  const child = spawn('dockerd', [], {
    detached: true,
    stdio: ['ignore', 'ignore', openSync(log, 'a')],
  });
  child.on('error', () => {});
  child.unref();
  const endMs = Date.now() + ENGINE_START_MS;
  for (let why = await whyNoEngine(); why !== null; why = await whyNoEngine()) {
    if (Date.now() > endMs) throw new DockerError(`dockerd does not answer, see ${log}: ${why}`);
    await delay(POLL_MS);
  }
}

async function whyNoEngine() {
  try {
    return await engineProblem(dockerClients(env)[0], env);
  } catch (error) {
    return error.message;
  }
}

async function needBusybox() {
  if (existsSync(BUSYBOX)) return;
  if ((await run('docker', ['image', 'inspect', BUSYBOX_IMAGE])).code === 0) return;
  if ((await run('docker', ['pull', '--quiet', BUSYBOX_IMAGE])).code === 0) return;
  await install('busybox-static');
}

/** Docker Hub's where it can be had, else our own. */
async function findBase() {
  const official = defaultBase('agent-image/Dockerfile');
  if ((await run('docker', ['image', 'inspect', official])).code === 0) return official;
  const format = '{{index .Config.Labels "room-launcher.base"}}';
  const made = await run('docker', ['image', 'inspect', '--format', format, MADE_BASE]);
  if (made.code === 0 && made.output.trim() === CONTENT) return MADE_BASE;
  if ((await run('docker', ['pull', '--quiet', official])).code === 0) return official;

  const tar = join(cache, 'base', `${CONTENT}.tar`);
  if (!statSync(tar, { throwIfNoEntry: false })) await makeBase(tar);
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const changes = [`ENV PATH=${path}`, `LABEL room-launcher.base=${CONTENT}`, 'CMD ["node"]'];
  const flags = changes.flatMap((change) => ['--change', change]);
  await must('docker', ['import', ...flags, tar, MADE_BASE]);
  return MADE_BASE;
}

/** Docker Hub's where it can be had, else our own of Node's with Python added. */
async function findPythonBase() {
  const official = defaultBase('agent-image/examples/python/Dockerfile');
  for (const name of [official, MADE_PYTHON_BASE]) {
    if ((await run('docker', ['image', 'inspect', name])).code === 0) return name;
  }
  if ((await run('docker', ['pull', '--quiet', official])).code === 0) return official;
  say(`making ${MADE_PYTHON_BASE}: Debian's Python`);
  const dockerfile = `FROM ${env.BASE_IMAGE || (await findBase())}\nRUN ${ADD_PYTHON}\n`;
  const docker = await findBuilder(env);
  const made = await command(docker, ['build', '--tag', MADE_PYTHON_BASE, '-'], {
    env: withBuildKit(env),
    input: dockerfile,
  });
  if (made.code === 0) return MADE_PYTHON_BASE;
  say(made.output);
  throw new DockerError(`Adding Python to a base image failed: set PYTHON_BASE_IMAGE to one.`);
}

/** Writes the file system of a base image to `tar`, whole or not at all. */
async function makeBase(tar) {
  const folder = join(cache, 'base');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'making-'));
  try {
    if ((await run('debootstrap', ['--version'])).code !== 0) await install('debootstrap');
    const root = join(work, 'root');
    say(`making ${MADE_BASE}: Debian, about a minute`);
    await must('debootstrap', ['--variant=minbase', '--include=ca-certificates', DEBIAN, root]);
    say(`making ${MADE_BASE}: Node and npm`);
    await addNode(work, root);
    rmSync(join(root, 'var', 'cache', 'apt'), { recursive: true });
    rmSync(join(root, 'var', 'lib', 'apt', 'lists'), { recursive: true });
    await must('tar', ['-C', root, '-cf', join(work, 'base.tar'), '.']);
    renameSync(join(work, 'base.tar'), tar);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Where Docker Hub's image has them too. */
async function addNode(work, root) {
  const local = join(root, 'usr', 'local');
  const npm = join(local, 'lib', 'node_modules', 'npm');
  mkdirSync(npm, { recursive: true });
  const node = `node-linux-${process.arch}`;
  const packages = [`${node}@${NODE}`, `npm@${NPM}`];
  await must('npm', ['pack', '--silent', '--pack-destination', work, ...packages]);
  const unpack = (file, ...args) =>
    must('tar', ['-xzf', join(work, file), '--strip-components=1', ...args]);
  await unpack(`${node}-${NODE}.tgz`, '-C', local, 'package/bin/node');
  await unpack(`npm-${NPM}.tgz`, '-C', npm);
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  }
}

async function install(name) {
  if (process.getuid?.() !== 0)
    throw new DockerError(`${name} is missing: install it, or run as root.`);
  say(`installing ${name}`);
  await must('apt-get', ['-qq', 'update']);
  const flags = ['-qq', '-y', '-o', 'DPkg::Lock::Timeout=300', '--no-install-recommends'];
  await must('apt-get', ['install', ...flags, name]);
}

function run(file, args) {
  return command(file, args, { env });
}

async function must(file, args) {
  const { code, output } = await run(file, args);
  if (code === 0) return;
  say(output);
  throw new DockerError(`\`${file} ${args.join(' ')}\` failed.`);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
