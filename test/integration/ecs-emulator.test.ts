/** A launcher whose tasks come from RunTask: an emulator of ECS runs them as real containers. */
import { afterEach, expect, test } from 'vitest';
import { startedBy } from '../../launcher/drivers/ecs/request.ts';
import { Cleanup } from '../support/cleanup.ts';
import { GOOD_ENV, runCommand } from '../support/command.ts';
import { docker } from '../support/docker-engine.ts';
import { ecsCluster } from '../support/ecs-cluster.ts';
import {
  containerOf,
  ecsEnv,
  type EmulatorBed,
  runningIn,
  startEmulatorBed,
} from '../support/ecs-emulator-bed.ts';
import { emulatorEvents } from '../support/emulator-events.ts';
import { servedBy } from '../support/foreign-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { ministack } from '../support/ministack.ts';
import { ended, fullPasses, launches, roomOver } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const RESYNC = { LAUNCHER_RESYNC_SECONDS: '1' };
const RUNNER = { image: 'room-launcher-agent:latest', runner: true, env: RESYNC } as const;
const PYTHON = { image: 'room-launcher-agent-python:latest', env: RESYNC };
/** Of a registry that refuses at once. */
const NO_IMAGE = 'localhost:1/no-such-image:latest';
const SERVED_MS = 60_000;
/** The next full look would be minutes away. */
const HINTED_MS = 12_000;
const TEST_MS = 150_000;

/** A visitor is greeted and answered; gives the task that does so. */
async function serves(cleanup: Cleanup, bed: EmulatorBed, name: string): Promise<string> {
  const visitor = cleanup.use(await visit(bed.server, name));
  const { key, agent } = await servedBy(bed, name, 1, SERVED_MS);
  await visitor.hears(agent.identity, 'Hello');
  await visitor.asks(agent.identity, 'are you there?');
  return key;
}

async function noneRuns(bed: EmulatorBed): Promise<void> {
  await waitFor('no container', async () => (await runningIn(bed)).length === 0);
}

describeWith(
  'livekit',
  'docker',
  'ministack',
)('a launcher on an emulator of ECS', () => {
  const cleanup = new Cleanup();
  const emulator = ministack();
  afterEach(() => cleanup.run());

  test('gives a room one task, which greets, and ends with it', { timeout: TEST_MS }, async () => {
    const bed = await startEmulatorBed(cleanup, emulator(), RUNNER);
    const key = await serves(cleanup, bed, 'consultation');
    expect(await runningIn(bed)).toHaveLength(1);
    const { Config } = await docker.getContainer(await containerOf(bed, key)).inspect();
    expect(Config.Env).toContain(`LIVEKIT_API_KEY=${key}`);
    expect(Config.Env.join('\n')).not.toContain(bed.server.apiSecret.reveal());

    await bed.rooms.deleteRoom('consultation');
    expect(await ended(bed.launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    await noneRuns(bed);
    expect(launches(bed.launcher)).toEqual([key]);
  });

  test(
    'gives a room the next attempt when its container is killed',
    { timeout: TEST_MS },
    async () => {
      const bed = await startEmulatorBed(cleanup, emulator(), RUNNER);
      const { sid } = await bed.rooms.createRoom({ name: 'killed' });
      const { key } = await servedBy(bed, 'killed', 1, SERVED_MS);
      await docker.getContainer(await containerOf(bed, key)).kill();
      const next = await servedBy(bed, 'killed', 2, SERVED_MS);
      expect(next.sid).toBe(sid);
      expect(await ended(bed.launcher, key)).toMatchObject({ exitCode: 137, verdict: 'failed' });
      expect(launches(bed.launcher)).toEqual([key, next.key]);
      await bed.rooms.deleteRoom('killed');
      await roomOver(bed, 'killed');
      await noneRuns(bed);
    },
  );

  test('goes on with its rooms after it was killed', { timeout: TEST_MS }, async () => {
    const bed = await startEmulatorBed(cleanup, emulator(), RUNNER);
    const { launcher, rooms } = bed;
    await rooms.createRoom({ name: 'kept' });
    const { key, agent } = await servedBy(bed, 'kept', 1, SERVED_MS);
    await launcher.end('SIGKILL');
    await launcher.restart();
    const isBack = async () =>
      (await launcher.tasks()).some((task) => task.key === key && task.socket === 'assigned');
    await waitFor('the line of its task', isBack, SERVED_MS);
    await fullPasses(launcher, 2);
    expect((await servedBy(bed, 'kept', 1, SERVED_MS)).agent.sid).toBe(agent.sid);
    await rooms.deleteRoom('kept');
    expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
    expect(launches(launcher)).toEqual([key]);
  });

  test(
    'does so at once when the queue of task events hints at an end',
    { timeout: TEST_MS },
    async () => {
      const events = await emulatorEvents(cleanup, emulator());
      const hints = {
        LAUNCHER_ECS_EVENTS_QUEUE_URL: events.queueUrl,
        LAUNCHER_RESYNC_SECONDS: '300',
      };
      // Nothing of such a task dials in, whose loss would be seen.
      const bed = await startEmulatorBed(cleanup, emulator(), { image: NO_IMAGE, env: hints });
      const { sid } = await bed.rooms.createRoom({ name: 'hinted' });
      const look = async () => (await bed.launcher.tasks()).find(({ key }) => key === `r-${sid}-1`);
      const { taskId } = await waitFor('the first attempt', look);
      await waitFor('its end', async () => (await bed.cluster.liveTasks()).length === 0);
      await events.tell({ taskArn: taskId, startedBy: startedBy(bed.deployment, `r-${sid}-1`) });
      await waitFor('the next attempt', () => launches(bed.launcher).length === 2, HINTED_MS);
    },
  );

  test('says in the words of ECS why a task did not start', { timeout: TEST_MS }, async () => {
    const env = { ...RESYNC, LAUNCHER_RETRIES: '0' };
    const bed = await startEmulatorBed(cleanup, emulator(), { image: NO_IMAGE, env });
    await bed.rooms.createRoom({ name: 'imageless' });
    const look = async () => {
      const [row] = await bed.launcher.rooms();
      return row?.state === 'failed' && row.reason;
    };
    expect(await waitFor('the run to fail', look, SERVED_MS)).toContain('TaskFailedToStart');
    expect(await bed.cluster.containers()).toEqual([]);
  });

  test('can be checked before: the doctor asks ECS', async () => {
    const cluster = cleanup.use(await ecsCluster(emulator()));
    const env = {
      ...GOOD_ENV,
      ...ecsEnv(emulator(), cluster),
      LAUNCHER_ECS_TASK_DEFINITION: await cluster.register(NO_IMAGE),
      LAUNCHER_GATEWAY_URL: 'ws://gateway.test:8083',
      LAUNCHER_TASK_LIVEKIT_URL: 'ws://livekit.test:7880',
    };
    const asked = (more = {}) => runCommand(['doctor', '--ask-engine'], { ...env, ...more });
    expect(await asked()).toMatchObject({ code: 0 });
    const elsewhere = await asked({ LAUNCHER_ECS_CLUSTER: 'elsewhere' });
    expect(elsewhere).toMatchObject({ code: 1 });
    expect(elsewhere.stdout).toContain('there is no active ECS cluster elsewhere in us-east-1');
  });
});

describeWith(
  'livekit',
  'docker',
  'foreign',
  'ministack',
)('a launcher of ordinary agents on an emulator of ECS', () => {
  const cleanup = new Cleanup();
  const emulator = ministack();
  afterEach(() => cleanup.run());

  test('gives a room one task, and stops it with the room', { timeout: TEST_MS }, async () => {
    const bed = await startEmulatorBed(cleanup, emulator(), PYTHON);
    const key = await serves(cleanup, bed, 'lesson');
    await bed.rooms.deleteRoom('lesson');
    expect(await ended(bed.launcher, key)).toMatchObject({ verdict: 'served' });
    await noneRuns(bed);
    expect(launches(bed.launcher)).toEqual([key]);
  });
});
