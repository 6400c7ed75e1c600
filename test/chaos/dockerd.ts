/** Ends this machine's Docker engine and starts it again as it was started. As root, where no init does. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { delay, systemClock } from '../../launcher/lib/clock.ts';
import { docker } from '../support/docker-engine.ts';
import { waitFor } from '../support/wait.ts';

const PID_FILE = '/var/run/docker.pid';
/** On SIGTERM it ends its containers first. */
const END_DEADLINE_MS = 60_000;
const START_DEADLINE_MS = 60_000;

/** Rejects, without touching anything, when a container of somebody else's runs. */
export async function restartDockerd(
  signal: 'SIGTERM' | 'SIGKILL',
  awayMs: number,
  deployment: string,
): Promise<void> {
  const others = (await docker.listContainers()).filter(
    ({ Labels }) => Labels['room-launcher.deployment']?.startsWith(deployment) !== true,
  );
  if (others.length > 0) throw new Error(`${others.length} containers of others run`);
  const pid = Number(await readFile(PID_FILE, 'utf8'));
  const [file = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8'))
    .split('\0')
    .slice(0, -1);
  process.kill(pid, signal);
  await waitFor('the end of dockerd', () => !existsSync(`/proc/${pid}`), END_DEADLINE_MS);
  await delay(systemClock, awayMs);
  const start = () => {
    const started = spawn(file, args, { detached: true, stdio: 'ignore' });
    started.unref();
    return started;
  };
  let dockerd = start();
  const answers = async () => {
    // It gives up while what it left behind is still ending: a service manager starts it again.
    if (dockerd.exitCode !== null) dockerd = start();
    return docker.ping();
  };
  await waitFor('dockerd', answers, START_DEADLINE_MS);
}
