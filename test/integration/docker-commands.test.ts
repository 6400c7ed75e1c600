/** Commands on the Docker engine: a container's output followed to its end, and a dry run. */
import { afterEach, expect, test } from 'vitest';
import type { FirstPlan } from '../../launcher/reconcile/preview.ts';
import { Cleanup } from '../support/cleanup.ts';
import { followCommand, runCommand } from '../support/command.ts';
import { AGENT_IMAGE, containersOf, startDockerBed } from '../support/docker-bed.ts';
import { docker, ENGINE, uniqueName } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

describeWith('livekit', 'docker')('commands on the Docker engine', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('logs follow a container to its end by stop; a dry run makes nothing', async () => {
    const bed = await startDockerBed(cleanup, { network: 'host' });
    const env = { LAUNCHER_ADMIN_LISTEN: `127.0.0.1:${bed.launcher.ports.admin}` };
    await bed.rooms.createRoom({ name: 'lobby' });
    const { key, sid } = await served(bed, 'lobby');
    const followed = cleanup.use(followCommand(['logs', 'lobby', '-f'], env));
    await waitFor('the first lines', () => followed.stdout().includes('runner.started'));

    const deployment = uniqueName('dry');
    const { url, apiKey, apiSecret } = bed.server;
    const dry = await runCommand(['serve', '--dry-run', '--json'], {
      LIVEKIT_URL: url,
      LIVEKIT_API_KEY: apiKey,
      LIVEKIT_API_SECRET: apiSecret.reveal(),
      LAUNCHER_DRIVER: 'docker',
      LAUNCHER_DEPLOYMENT: deployment,
      LAUNCHER_AGENT_IMAGE: AGENT_IMAGE,
      LAUNCHER_STANDBY: '1',
      ...(ENGINE.host === '' ? {} : { DOCKER_HOST: ENGINE.host }),
    });
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    const plan = JSON.parse(dry.stdout) as FirstPlan;
    expect(plan).toMatchObject({ tasks: 0, rooms: [{ sid, actions: [] }], standbys: [{}] });
    const filters = { label: [`room-launcher.deployment=${deployment}`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect(await docker.listNetworks({ filters })).toEqual([]);

    const stopped = await runCommand(['stop', key.slice(0, -1), '--wait'], env);
    expect(stopped).toMatchObject({ code: 0, stderr: '' });
    expect(stopped.stdout).toBe(
      `Task ${key} is being ended; its room gets no other.\nIt has ended.\n`,
    );
    expect(await followed.ended).toBe(0);
    expect(followed.stderr()).toContain(`task ${key} has ended, exit code 0`);
    const [container] = await containersOf(bed);
    expect(container?.State.Running).toBe(false);
    expect((await runCommand(['logs', key, '-n', '1'], env)).stdout).not.toBe('');
  });
});
