/** Containers that are not this deployment's: never adopted, stopped or removed. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { type DockerBed, roomIn, runningNames, startDockerBed } from '../support/docker-bed.ts';
import { docker, removeContainer, testImage, uniqueName } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { ended, fullPasses, launches, served } from '../support/served.ts';

const RESYNC = { LAUNCHER_RESYNC_SECONDS: '1' };

function labelsOf(deployment: string, key: string) {
  return { 'room-launcher.deployment': deployment, 'room-launcher.key': key };
}

describeWith('livekit', 'docker')('a container of somebody else', () => {
  const image = testImage();
  const cleanup = new Cleanup();
  beforeAll(() => image.ready());
  afterEach(() => cleanup.run());
  afterAll(() => image.remove());

  /** Starts one; the returned function gives all that must stay as it is. */
  async function stranger(name: string, labels: Readonly<Record<string, string>> = {}) {
    const options = { name, Image: image.name, Labels: { ...labels } };
    const { id } = await docker.createContainer(options);
    cleanup.defer(() => removeContainer(id));
    await docker.getContainer(id).start();
    return async () => {
      const { Id, Name, State, Config } = await docker.getContainer(id).inspect();
      return { Id, Name, Labels: Config.Labels, status: State.Status, since: State.StartedAt };
    };
  }

  test('is left alone by a launcher that comes, serves, and comes again', async () => {
    const bed = await startDockerBed(cleanup, { env: RESYNC });
    const { launcher, rooms, deployment } = bed;
    // One that is shaped like ours of a room that is long over, and whose name begins like ours.
    const theirs = `${deployment}-2`.slice(0, 24);
    const theirKey = 'r-RM_longover-1';
    const others = [
      await stranger(`${theirs}.${theirKey}`, labelsOf(theirs, theirKey)),
      await stranger(uniqueName('plain')),
      // Ours by its label, and yet damaged: shown, never touched.
      await stranger(uniqueName('damaged'), labelsOf(deployment, theirKey)),
    ];
    const before = await Promise.all(others.map((look) => look()));

    await rooms.createRoom({ name: 'ours' });
    const { key } = await served(bed, 'ours');
    await launcher.end('SIGKILL');
    await launcher.restart();
    await rooms.deleteRoom('ours');
    expect(await ended(launcher, key)).toMatchObject({ exitCode: 0 });
    await fullPasses(launcher, 3);

    expect(await Promise.all(others.map((look) => look()))).toEqual(before);
    const shown = (await launcher.tasks()).map((task) => task.key);
    expect(new Set(shown)).toEqual(new Set([key, null]));
    expect(launcher.output()).not.toContain(`${theirs}.`);
  });

  test("that bears a task's name: its room fails with the reason, another is served", async () => {
    const bed: DockerBed = await startDockerBed(cleanup, { env: RESYNC });
    const { launcher, rooms, deployment } = bed;
    await launcher.end('SIGKILL');
    const { sid } = await rooms.createRoom({ name: 'taken' });
    const name = `${deployment}.r-${sid}-1`;
    const look = await stranger(name);
    const before = await look();
    await launcher.restart();
    const reason =
      `launch refused: the container name ${name} is taken by a container that is not ours: ` +
      'remove it';
    expect(await roomIn(bed, sid, 'failed')).toMatchObject({ reason, task: null });
    expect(launcher.events('run.fail')).toMatchObject([{ sid, reason }]);

    await rooms.createRoom({ name: 'free' });
    const { key } = await served(bed, 'free');
    await rooms.deleteRoom('taken');
    await fullPasses(launcher, 3);
    expect(launches(launcher)).toEqual([`r-${sid}-1`, key]);
    expect(await runningNames(bed)).toEqual([`${deployment}.${key}`]);
    expect(await look()).toEqual(before);
    expect(before.status).toBe('running');
  });
});
