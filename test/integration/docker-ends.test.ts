/** How containers end before their rooms do: killed, stopped by a stranger, out of memory. */
import { readFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import {
  agentImage,
  containerOf,
  type DockerBed,
  roomIn,
  startDockerBed,
} from '../support/docker-bed.ts';
import { docker } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { agentFile } from '../support/runner.ts';
import { ended, fullPasses, launches, served, type Served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

/** Waits until this attempt serves the room. */
function servedBy(bed: DockerBed, name: string, attempt: number): Promise<Served> {
  const look = async () => {
    const seen = await served(bed, name);
    return seen.key === `r-${seen.sid}-${attempt}` ? seen : null;
  };
  return waitFor(`attempt ${attempt}`, look, 30_000);
}

async function container(bed: DockerBed, key: string) {
  return docker.getContainer((await containerOf(bed, key)).Id);
}

describeWith('livekit', 'docker')('a container that ends before its room', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('killed, or stopped by a stranger: the next attempt serves the same room', async () => {
    const bed = await startDockerBed(cleanup);
    const { launcher, rooms } = bed;
    const { sid } = await rooms.createRoom({ name: 'hurt' });
    const first = await servedBy(bed, 'hurt', 1);
    await (await container(bed, first.key)).kill();
    const second = await servedBy(bed, 'hurt', 2);
    expect(await ended(launcher, first.key)).toMatchObject({ exitCode: 137, verdict: 'failed' });
    await (await container(bed, second.key)).stop({ t: 10 });
    const third = await servedBy(bed, 'hurt', 3);
    expect(await ended(launcher, second.key)).toMatchObject({
      exitCode: 143,
      verdict: 'failed',
      reason: 'stopped from outside (exit 143)',
    });
    expect(new Set([first.sid, second.sid, third.sid])).toEqual(new Set([sid]));
    expect(launches(launcher)).toEqual([first.key, second.key, third.key]);
    const live = (await launcher.tasks()).filter(({ phase }) => phase !== 'ended');
    expect(live.map(({ key }) => key)).toEqual([third.key]);
  });

  test('killed until the retries are used up: the run is failed, and stays so', async () => {
    const env = { LAUNCHER_RETRIES: '1', LAUNCHER_RESYNC_SECONDS: '1' };
    const bed = await startDockerBed(cleanup, { env });
    const { launcher, rooms } = bed;
    const { sid } = await rooms.createRoom({ name: 'hopeless' });
    for (const attempt of [1, 2]) {
      const { key } = await servedBy(bed, 'hopeless', attempt);
      await (await container(bed, key)).kill();
    }
    const keys = [`r-${sid}-1`, `r-${sid}-2`];
    const reason = expect.stringMatching(/^2 of 2 attempts failed: .*137/);
    expect(await roomIn(bed, sid, 'failed')).toMatchObject({ attempts: 2, task: keys[1], reason });
    await fullPasses(launcher, 3);
    expect(launches(launcher)).toEqual(keys);
    expect(launcher.events('run.fail')).toMatchObject([{ sid, reason }]);
  });

  test('out of memory: said so, and the next attempt serves the room', async () => {
    const image = await agentImage(cleanup, await readFile(agentFile('eats-memory.mjs'), 'utf8'));
    const bed = await startDockerBed(cleanup, { image });
    const { launcher, rooms } = bed;
    await rooms.createRoom({ name: 'hungry' });
    const { sid, key } = await servedBy(bed, 'hungry', 2);
    expect(await ended(launcher, `r-${sid}-1`)).toMatchObject({
      exitCode: 137,
      verdict: 'failed',
      reason: 'killed: out of memory',
    });
    expect((await containerOf(bed, `r-${sid}-1`)).State.OOMKilled).toBe(true);
    expect((await containerOf(bed, key)).Config.Image).toBe(image);
    expect(launches(launcher)).toEqual([`r-${sid}-1`, key]);
  });
});
