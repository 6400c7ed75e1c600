/** `room-launcher dev` as a user runs it, in containers: what is left of it, however it ends. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Child, startChild } from '../../launcher/dev/process.ts';
import { Cleanup } from '../support/cleanup.ts';
import { docker, removeDeployment } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { waitFor } from '../support/wait.ts';

const MAIN = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url));

interface Demo {
  readonly child: Child;
  /** What it printed so far. */
  readonly output: () => string;
  /** Its containers and networks, by name. */
  readonly ours: () => Promise<string[]>;
  /** Resolves with its exit code. */
  readonly end: () => Promise<number | null>;
}

let cleanup: Cleanup;
let folder: string;
beforeEach(async () => {
  cleanup = new Cleanup();
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
});
afterEach(() => cleanup.run());

/** Its log, which names the deployment, is in the folder that is its TMPDIR. */
async function deployment(): Promise<string> {
  return waitFor('the name of the deployment', async () => {
    const name = (await readdir(folder)).find((one) => one.startsWith('room-launcher-'));
    const log = name && (await readFile(join(folder, name, 'launcher.log'), 'utf8'));
    return /demo-[0-9a-f]{8}/.exec(log ?? '')?.[0];
  });
}

async function demo(...args: string[]): Promise<Demo> {
  const child = await startChild(process.execPath, [MAIN, 'dev', '--engine', 'docker', ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let name = '';
  // Once it has ended, and its launcher with it: that would launch its standbys again.
  cleanup.defer(() => name && removeDeployment(name));
  cleanup.defer(() => child.kill());
  let text = '';
  for (const stream of [child.process.stdout, child.process.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  name = await deployment();
  const filters = { label: [`room-launcher.deployment=${name}`] };
  return {
    child,
    output: () => text,
    async ours() {
      const containers = await docker.listContainers({ all: true, filters });
      const networks = await docker.listNetworks({ filters });
      return [...containers.flatMap(({ Names }) => Names), ...networks.map(({ Name }) => Name)];
    },
    async end() {
      await waitFor('the end of the demo', () => child.hasEnded(), 40_000);
      return (await child.ended).code;
    },
  };
}

/** The launcher among the demo's children. */
async function launcherOf(demoPid: number): Promise<number> {
  const children = await readFile(`/proc/${demoPid}/task/${demoPid}/children`, 'utf8');
  for (const pid of children.trim().split(' ')) {
    const args = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    if (args.includes(MAIN) && args.includes('serve')) return Number(pid);
  }
  throw new Error('the demo has no launcher');
}

describeWith('livekit', 'docker')('the demo in containers', () => {
  it('serves its rooms on a bridge, one by a standby, says where to look, leaves nothing', async () => {
    const { child, output, ours, end } = await demo('--rooms', '2', '--standby', '1', '--stay');
    await waitFor('all to be said', () => output().includes('Ctrl-C ends it'), 50_000);
    expect(output()).toMatch(/2 rooms, a task each, 1 of 2 from the warm pool: containers on a br/);
    expect(output()).toMatch(/^ {2}median +-\d+( +\d+){11}$/m);
    expect(output()).toMatch(/^Start-up of the runner of demo-[12]: imported \d+ ms/m);
    expect(output()).toMatch(/docker logs demo-[0-9a-f]{8}\.<task>/);
    // Two tasks, the next standby, and the network.
    await waitFor('the next standby', async () => (await ours()).length === 4, 40_000);
    child.process.kill('SIGINT');
    expect(await end()).toBe(0);
    expect(await ours()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing when it is interrupted with its tasks at work', async () => {
    const { child, output, ours, end } = await demo('--rooms', '2', '--standby', '2');
    await waitFor('a container', async () => (await ours()).length > 1, 40_000);
    child.process.kill('SIGINT');
    expect(await end(), output()).toBe(130);
    expect(await ours()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing when the launcher is killed, and says what happened', async () => {
    const { child, output, ours, end } = await demo('--network', 'host');
    await waitFor('a container', async () => (await ours()).length > 0, 40_000);
    process.kill(await launcherOf(child.pid), 'SIGKILL');
    expect(await end()).toBe(1);
    expect(output()).toMatch(/failed: demo-1: the launcher: it ended with SIGKILL/);
    expect(await ours()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });
});
