/** The launcher as users start it: settings say where it listens and what it launches, no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { killLeftovers } from '../../dist/launcher/dev/leftovers.js';
import { freeTcpPorts } from '../../dist/launcher/dev/ports.js';
import { bridgeAddress, child, docker, livekit } from './bed.mjs';
import { unit } from './unit.mjs';
import { until } from './wait.mjs';
import { isCalm } from './worker.mjs';

const MAIN = fileURLToPath(new URL('../../dist/launcher/main.js', import.meta.url));
/** A standby of ours registers, waits a moment, and only then makes itself small. */
const CALM_WINDOWS = 3;
const { DOCKER_HOST, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY } = process.env;

/**
 * Containers of an image. `own`: it has our runner. Standbys are waited for until they are calm:
 * ours do what they do once, and those of JavaScript register before they can work.
 */
export async function containers(bed, name, { image, network = 'bridge', standby = 0, own }) {
  const address = network === 'bridge' ? await bridgeAddress() : undefined;
  const way = await launcher(
    bed,
    name,
    { address, clean: removeContainers },
    {
      DOCKER_HOST,
      DOCKER_CERT_PATH,
      DOCKER_TLS_VERIFY,
      LAUNCHER_DRIVER: 'docker',
      LAUNCHER_AGENT_IMAGE: image,
      ...(network === 'host' && { LAUNCHER_DOCKER_NETWORK: 'host' }),
      ...(standby > 0 && { LAUNCHER_STANDBY: String(standby) }),
    },
  );
  const unitOfTask = async ({ key }) => {
    const { State } = await docker.getContainer(`${way.deployment}.${key}`).inspect();
    return unit(State.Pid, { inContainer: true });
  };
  return withUnits(way, { standby, own, unitOfTask });
}

/** Processes of this machine. */
export async function processes(bed, name) {
  const way = await launcher(bed, name, { clean: killProcesses }, { LAUNCHER_DRIVER: 'process' });
  const pidIn = (key, file) => JSON.parse(readFileSync(join(way.state, key, file), 'utf8')).pid;
  const unitOfTask = async ({ key }) => unit(pidIn(key, 'started'), { root: pidIn(key, 'pid') });
  return withUnits(way, { standby: 0, own: true, unitOfTask });
}

async function launcher(bed, name, { address, clean }, settings) {
  const server = await livekit(bed, address);
  const [gateway, admin] = await freeTcpPorts(2);
  const deployment = `bench-${gateway}`;
  const state = join(bed.folder, 'room-launcher', deployment);
  await bed.defer(() => clean({ deployment, state })); // when the launcher makes no more
  const started = await child(bed, deployment, process.execPath, [MAIN, 'serve'], {
    ...server.env,
    XDG_STATE_HOME: bed.folder,
    LAUNCHER_DEPLOYMENT: deployment,
    LAUNCHER_WEBHOOK_LISTEN: `127.0.0.1:${server.webhookPort}`,
    LAUNCHER_GATEWAY_LISTEN: `${address === undefined ? '127.0.0.1' : '0.0.0.0'}:${gateway}`,
    LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${admin}`,
    ...settings,
  });
  await bed.defer(() => started.stop());
  const url = `http://127.0.0.1:${admin}`;
  await started.until(`${name}: ready`, async () => (await fetch(`${url}/readyz`)).ok);
  return {
    name,
    livekit: server,
    deployment,
    state,
    tail: started.tail,
    tasks: async () => (await fetch(`${url}/api/tasks`)).json(),
  };
}

function withUnits(way, { standby, own, unitOfTask }) {
  const live = async () => (await way.tasks()).filter(({ phase }) => phase !== 'ended');
  const ready = async () => (await live()).filter((task) => task.standby === 'ready');
  const over = async () =>
    until(`${way.name}: no task of a room`, async () =>
      (await live()).every((task) => task.standby !== null),
    );
  return {
    ...way,
    endsAtOnce: own,
    over,
    async settled() {
      const found = await until(`${way.name}: ${standby} standbys`, async () => {
        const tasks = await ready();
        return tasks.length >= standby && tasks;
      });
      const settle = async (task) => {
        const { pid } = await unitOfTask(task);
        let windows = 0;
        await until(`${way.name}: a calm standby`, async () => {
          windows = (await isCalm(pid)) ? windows + 1 : 0;
          return windows >= CALM_WINDOWS;
        });
      };
      await Promise.all(found.map(settle));
    },
    async idleUnit() {
      const [task] = await ready();
      return unitOfTask(task);
    },
    async unitOf({ sid }) {
      const serves = (task) => task.sid === sid && task.phase === 'running';
      return unitOfTask(await until(`the task of ${sid}`, async () => (await live()).find(serves)));
    },
  };
}

function killProcesses({ state }) {
  return killLeftovers(state);
}

async function removeContainers({ deployment }) {
  const filters = { label: [`room-launcher.deployment=${deployment}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
}
