/** What is wrong about engine, image or network: one clear line, the right verdict, no hot loop. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { GOOD_ENV, runCommand } from '../support/command.ts';
import {
  containersOf,
  type DockerBedOptions,
  roomIn,
  runningNames,
  startDockerBed,
  startEngineProxy,
} from '../support/docker-bed.ts';
import { testImage, uniqueName } from '../support/docker-engine.ts';
import { imageRegistry } from '../support/image-registry.ts';
import { describeWith } from '../support/left-out.ts';
import { fullPasses, launches, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const RESYNC = { LAUNCHER_RESYNC_SECONDS: '1' };
/** Nothing listens there. */
const NO_REGISTRY = '127.0.0.1:9/agent:1';

describeWith('livekit', 'docker')('a launcher on Docker', () => {
  const exiting = testImage('CMD ["/bin/sh", "-c", "exit 3"]');
  const silent = testImage();
  const cleanup = new Cleanup();
  beforeAll(async () => {
    await exiting.ready();
    await silent.ready();
  });
  afterEach(() => cleanup.run());
  afterAll(async () => {
    await exiting.remove();
    await silent.remove();
  });

  /** A room's failed run: why, the launches it took, and that nothing goes on. */
  async function failedRun(options: DockerBedOptions) {
    const bed = await startDockerBed(cleanup, { ...options, env: { ...RESYNC, ...options.env } });
    const { launcher, rooms } = bed;
    const { sid } = await rooms.createRoom({ name: 'unlucky' });
    const { reason } = await roomIn(bed, sid, 'failed');
    const count = launches(launcher).length;
    await fullPasses(launcher, 3);
    expect(launches(launcher)).toHaveLength(count);
    expect(launcher.events('run.fail')).toMatchObject([{ sid, reason, level: 'warn' }]);
    expect(await runningNames(bed)).toEqual([]);
    const verdicts = (await launcher.tasks()).map(({ verdict, exitCode }) => ({
      verdict,
      exitCode,
    }));
    return { reason, count, verdicts, bed };
  }

  test('whose DOCKER_HOST is no address: does not start, and says what it may be', async () => {
    const env = { LAUNCHER_DRIVER: 'docker', LAUNCHER_AGENT_IMAGE: 'agent', DOCKER_HOST: 'here' };
    const { code, stderr } = await runCommand(['serve'], {
      ...GOOD_ENV,
      ...env,
      LAUNCHER_GATEWAY_LISTEN: '0.0.0.0:0',
    });
    expect(code).toBe(64);
    expect(stderr).toContain(
      'DOCKER_HOST is "here": allowed is unix:///path/to/docker.sock or tcp://host:port',
    );
  });

  test('without an engine at its start: says once where it looked, and goes on once there is one', async () => {
    const { proxy, env } = await startEngineProxy(cleanup);
    const bed = await startDockerBed(cleanup, { env: { ...RESYNC, ...env } });
    const { launcher, rooms } = bed;
    await launcher.end('SIGTERM');
    await proxy.break();
    const begin = launcher.lines().length;
    const since = () => launcher.lines().slice(begin);
    const ready = launcher.restart();
    await waitFor('passes in vain', () => {
      return (
        since().filter(({ fields }) => fields['msg'] === 'a full pass could not look').length > 2
      );
    });
    const warned = since().filter(({ level }) => level === 'warn');
    expect(warned.map(({ fields }) => fields)).toMatchObject([
      {
        msg: 'the engine does not answer; retrying',
        reason:
          `the Docker engine at ${proxy.host}: there is no such socket; ` +
          'is Docker running, and is DOCKER_HOST right?',
      },
    ]);
    expect((await launcher.admin('/readyz')).status).toBe(503);
    expect((await launcher.admin('/healthz')).status).toBe(200);
    await rooms.createRoom({ name: 'early' });
    await proxy.mend();
    await ready;
    await served(bed, 'early');
  });

  test('whose image no registry has: the run fails at once', async () => {
    const { missing } = cleanup.use(await imageRegistry());
    const { reason, count, verdicts } = await failedRun({ image: missing });
    expect(reason).toMatch(
      `launch refused: the engine does not have image ${missing} and cannot pull it: manifest for`,
    );
    expect(count).toBeLessThanOrEqual(2);
    expect(verdicts).toEqual([]);
  });

  test('whose registry does not answer: the run fails at the start deadline', async () => {
    const env = { LAUNCHER_START_DEADLINE_SECONDS: '4' };
    const { reason, count, verdicts } = await failedRun({ image: NO_REGISTRY, env });
    expect(reason).toMatch(
      'launches were refused until the start deadline: ' +
        `the engine does not have image ${NO_REGISTRY} and cannot pull it: Get `,
    );
    expect(count).toBeGreaterThan(1);
    expect(count).toBeLessThanOrEqual(7);
    expect(verdicts).toEqual([]);
  });

  test('whose image exits at once: the run fails when the retries are used up', async () => {
    const env = { LAUNCHER_RETRIES: '2' };
    const { reason, count, verdicts, bed } = await failedRun({ image: exiting.name, env });
    expect(reason).toMatch(
      /^3 of 3 attempts failed: exit 3: its log: docker logs test-bed-[0-9a-f]+\.r-RM_\w+-3$/,
    );
    expect(count).toBe(3);
    expect(verdicts).toEqual([1, 2, 3].map(() => ({ verdict: 'failed', exitCode: 3 })));
    expect(await containersOf(bed)).toHaveLength(3);
  });

  test('whose image never registers: it is stopped at the join deadline', async () => {
    const env = {
      LAUNCHER_RETRIES: '0',
      LAUNCHER_JOIN_DEADLINE_SECONDS: '2',
      LAUNCHER_SHUTDOWN_TIMEOUT_SECONDS: '1',
    };
    const { reason, count, verdicts } = await failedRun({ image: silent.name, env });
    expect(reason).toMatch(
      '1 of 1 attempts failed: running, but its agent was not in the room by the join deadline: ' +
        'no worker of it has dialled this launcher',
    );
    expect(count).toBe(1);
    expect(verdicts).toMatchObject([{ verdict: 'failed' }]);
  });

  test('whose network is missing: the run fails at once', async () => {
    const network = uniqueName('nowhere');
    const env = { LAUNCHER_DOCKER_NETWORK: network };
    const { reason, count, verdicts } = await failedRun({ env });
    expect(reason).toBe(
      `launch refused: the engine has no network "${network}": ` +
        'make it, or correct LAUNCHER_DOCKER_NETWORK',
    );
    expect(count).toBe(1);
    expect(verdicts).toEqual([]);
  });
});
