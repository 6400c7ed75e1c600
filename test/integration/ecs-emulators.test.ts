/** Tests of several files run at once, each with an emulator of its own, on one Docker engine. */
import { afterAll, afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { docker, testImage } from '../support/docker-engine.ts';
import { ecsCluster } from '../support/ecs-cluster.ts';
import { describeWith } from '../support/left-out.ts';
import { startMinistack } from '../support/ministack.ts';
import { waitFor } from '../support/wait.ts';

async function runs(id: string): Promise<boolean> {
  return (await docker.getContainer(id).inspect()).State.Running;
}

describeWith('docker', 'ministack')('two emulators at once', () => {
  const image = testImage();
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());
  afterAll(() => image.remove());

  /** An emulator with one task, and the container that it runs in. */
  async function emulatorWithTask() {
    const emulator = cleanup.use(await startMinistack());
    const cluster = await ecsCluster(emulator);
    const task = await cluster.run(await cluster.register(image.name), 'a test');
    const id = await cluster.containerOf(task);
    await waitFor('its container to run', () => runs(id));
    return { emulator, id };
  }

  test('keep to their own containers, and leave none behind', { timeout: 120_000 }, async () => {
    await image.ready();
    const [first, second] = await Promise.all([emulatorWithTask(), emulatorWithTask()]);
    expect((await first.emulator.containers()).map(({ Id }) => Id)).toEqual([first.id]);
    expect((await second.emulator.containers()).map(({ Id }) => Id)).toEqual([second.id]);

    await first.emulator[Symbol.asyncDispose]();
    await expect(docker.getContainer(first.id).inspect()).rejects.toMatchObject({
      statusCode: 404,
    });
    // One that starts sweeps up after dead ones of its own address alone.
    await emulatorWithTask();
    expect(await runs(second.id)).toBe(true);
  });
});
