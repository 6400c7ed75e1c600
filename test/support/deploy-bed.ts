/**
 * A user with an account of AWS's emulator, a LiveKit server, and a clone: what docs/deploy.md says
 * of Amazon ECS is done there to the letter, but for what the emulator lacks (`emulator-gaps.mjs`).
 * All of it is gone with `cleanup`, also what a deployment that failed half-way left.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DescribeTasksCommand, ECSClient, ListTasksCommand, type Task } from '@aws-sdk/client-ecs';
import type { ContainerInfo } from 'dockerode';
import type { RoomServiceClient } from 'livekit-server-sdk';
import { z } from 'zod';
import type { Env } from '../../launcher/dev/command.ts';
import type { LiveKitServer } from '../../launcher/dev/livekit-server.ts';
import { findAwsCli } from '../aws-cli.mjs';
import type { Cleanup } from './cleanup.ts';
import { docCommand } from './doc-commands.ts';
import { hostOnBridge } from './docker-bed.ts';
import { docker, outputOf } from './docker-engine.ts';
import { balancerDoor, serviceDoor } from './emulator-names.ts';
import { roomClient } from './launcher.ts';
import { startTestServer } from './livekit-server.ts';
import {
  EMULATOR_CREDENTIALS,
  EMULATOR_REGION,
  type Ministack,
  startMinistack,
} from './ministack.ts';
import { type ShellEnd, type UserShell, userShell } from './user-shell.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const GAPS = fileURLToPath(new URL('emulator-gaps.mjs', import.meta.url));
const INVENTORY = fileURLToPath(new URL('aws-inventory.py', import.meta.url));
const GATEWAY_PORT = 8083;
/** The docs' own. */
const ZONE = 'example.com';
const NOT_CLONED = new Set(['node_modules', '.cache', '.git', 'coverage', 'dist']);
const BOOTSTRAP = / (?:CDKToolkit|cdk-)/;
const run = promisify(execFile);

export interface DeployBed {
  readonly server: LiveKitServer;
  readonly rooms: RoomServiceClient;
  /** Runs the block of docs/deploy.md below this heading that contains this. */
  does(heading: string, part: string): Promise<ShellEnd>;
  /** Adds a line to what is to be deployed. */
  wants(line: string): Promise<unknown>;
  /** What the deployment said of itself, by name. */
  output(name: string): Promise<string>;
  /** The stack's tasks' containers of this name that run. */
  running(name: 'launcher' | 'agent'): Promise<ContainerInfo[]>;
  /** The lines that a container has written. */
  logOf(container: ContainerInfo): Promise<string[]>;
  /** What all containers have written, for whoever has to find out why a test failed. */
  tellAll(): Promise<string>;
  /** `<service> <name>` of all that the account holds, without what `cdk bootstrap` made. */
  inventory(): Promise<string[]>;
}

export async function startDeployBed(cleanup: Cleanup): Promise<DeployBed> {
  const images = `room-launcher-deploy-test-${randomUUID().slice(0, 8)}`;
  cleanup.defer(() => removeImages(images));
  const host = await hostOnBridge();
  const emulator = cleanup.use(await startMinistack({ bindHost: host, services: '' }));
  const python = await findAwsCli({ env: process.env, say: (line) => console.error(line) });
  const account = accountEnv(emulator);
  let dnsName = '';
  const toBalancer = () => ({ emulator: emulator.url, dnsName });
  const webhooks = cleanup.use(await balancerDoor('127.0.0.1', toBalancer));
  const gateway = cleanup.use(await serviceDoor(host, newestLauncher(cleanup, emulator)));
  const webhookUrls = [`http://127.0.0.1:${webhooks.port}/webhook`];
  const bindAddresses = ['127.0.0.1', host];
  const server = cleanup.use(await startTestServer({ webhookUrls, bindAddresses, nodeIp: host }));
  const shell = await userOf(cleanup, python, {
    ...account,
    ...whatBuildsNeed(),
    EMULATOR_IMAGES: images,
    EMULATOR_GATEWAY_URL: `ws://${host}:${gateway.port}`,
    LIVEKIT_URL: server.url.replace('127.0.0.1', host),
    LIVEKIT_API_KEY: server.apiKey,
    LIVEKIT_API_SECRET: server.apiSecret.reveal(),
  });
  await shell(`aws route53 create-hosted-zone --name ${ZONE} --caller-reference test`);
  const output = async (name: string) => (await shell(`output ${name}`)).stdout.trim();
  return {
    server,
    rooms: roomClient(server),
    async does(heading, part) {
      const ended = await shell(onEmulator(await docCommand('deploy.md', heading, part)));
      if (part === 'output()') dnsName = await output('LoadBalancer');
      return ended;
    },
    wants: (line) => shell(`sed -i '1a ${line},' cdk.context.json`),
    output,
    running: (name) => running(emulator, name),
    logOf: async ({ Id }) => (await outputOf(Id)).split('\n'),
    tellAll: async () => {
      const all = await emulator.containers();
      const told = await Promise.all(all.map(({ Id }) => outputOf(Id)));
      return all
        .map(({ Names, Status }, at) => `${Names.join()} ${Status}\n${told[at]}`)
        .join('\n');
    },
    async inventory() {
      const { stdout } = await run(python, [INVENTORY], { env: { ...process.env, ...account } });
      const held = z.array(z.string()).parse(JSON.parse(stdout));
      return held.filter((one) => !BOOTSTRAP.test(one));
    },
  };
}

/** A block of the docs as it has to be where AWS is the emulator and nobody answers questions. */
function onEmulator(block: string): string {
  return (
    block
      .replace('npm run deploy', `npm run deploy -- --require-approval never --app 'node ${GAPS}'`)
      .replace('npx cdk bootstrap', `npx cdk bootstrap --app 'node ${GAPS}'`)
      // What was made of the app last: once more would only take its time.
      .replace('npx cdk destroy', 'npx cdk destroy --app .cache/cdk.out')
  );
}

function accountEnv({ url }: Ministack): Env {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: EMULATOR_REGION,
    // What AWS's command line tool of version 1 reads.
    AWS_DEFAULT_REGION: EMULATOR_REGION,
    AWS_ACCESS_KEY_ID: EMULATOR_CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: EMULATOR_CREDENTIALS.secretAccessKey,
  };
}

/** What names this machine's base images and its private CA, if it has any. */
function whatBuildsNeed(): Env {
  const names = ['BASE_IMAGE', 'PYTHON_BASE_IMAGE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'];
  const all = names.map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

async function removeImages(repository: string): Promise<void> {
  const all = await docker.listImages({ filters: { reference: [repository] } });
  const tags = all.flatMap(({ RepoTags }) => RepoTags ?? []);
  for (const tag of tags.filter((one) => one.startsWith(`${repository}:`))) {
    await docker.getImage(tag).remove({ force: true });
  }
}

/** A shell in a clone of the repository, so that what is written beside cdk.json is not written here. */
async function userOf(cleanup: Cleanup, python: string, env: Env): Promise<UserShell> {
  const folder = await mkdtemp(join(tmpdir(), 'deploy-test-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const bin = join(folder, 'bin');
  const clone = join(folder, 'clone');
  for (const made of [bin, clone]) await mkdir(made);
  await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
  // Files of its own, as images are built from them.
  const entries = (await readdir(ROOT)).filter((name) => !NOT_CLONED.has(name));
  for (const name of entries) await cp(join(ROOT, name), join(clone, name), { recursive: true });
  const aws = join(bin, 'aws');
  await writeFile(aws, `#!/bin/sh\nexec '${python}' -m awscli "$@"\n`);
  await chmod(aws, 0o755);
  // Nothing of this machine's own user: no profile of AWS's, no account that the CDK remembers.
  return userShell(clone, { ...env, HOME: folder, PATH: `${bin}:${process.env['PATH'] ?? ''}` });
}

/** Where service discovery would lead to. */
function newestLauncher(cleanup: Cleanup, emulator: Ministack) {
  const credentials = EMULATOR_CREDENTIALS;
  const ecs = new ECSClient({ endpoint: emulator.url, region: EMULATOR_REGION, credentials });
  cleanup.defer(() => ecs.destroy());
  return async () => {
    const [launcher] = await running(emulator, 'launcher');
    const { 'com.amazonaws.ecs.cluster': cluster = '' } = launcher?.Labels ?? {};
    const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster }));
    const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }));
    const [newest] = tasks
      .filter(({ group, lastStatus }) => group?.startsWith('service:') && lastStatus === 'RUNNING')
      .toSorted((a, b) => Number(b.startedAt) - Number(a.startedAt));
    if (newest === undefined) throw new Error('no launcher runs');
    return { host: addressOf(newest), port: GATEWAY_PORT };
  };
}

function addressOf({ attachments = [] }: Task): string {
  const details = attachments.flatMap((attachment) => attachment.details ?? []);
  return details.find(({ name }) => name === 'privateIPv4Address')?.value ?? '';
}

async function running(emulator: Ministack, name: string): Promise<ContainerInfo[]> {
  const all = await emulator.containers(`com.amazonaws.ecs.container-name=${name}`);
  return all.filter(({ State }) => State === 'running');
}
