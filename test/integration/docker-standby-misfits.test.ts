/** Standbys that do not come up, and such that refuse: backed off, reported, and no room waits. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { agentImage, derivedImage, startDockerBed } from '../support/docker-bed.ts';
import { servedBy } from '../support/foreign-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { readyStandbys, standbys } from '../support/standby-bed.ts';
import { waitFor } from '../support/wait.ts';

const PYTHON_IMAGE = 'room-launcher-agent-python:latest';
const TEST_MS = 120_000;
const JOIN_DEADLINE_MS = 1_000;
/** Of each kind of trouble: the fourth launch at the latest waits for a backoff. */
const LAUNCHES = 4;
/** Half a second, less its jitter. */
const FIRST_BACKOFF_MS = 400;

const fixture = (path: string) =>
  readFile(fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url)), 'utf8');

describeWith(
  'livekit',
  'docker',
  'foreign',
)('standbys', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test(
    'that die, never dial or have no image are backed off, and reported once',
    { timeout: TEST_MS },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'standbys-'));
      cleanup.defer(() => rm(folder, { recursive: true, force: true }));
      const images = {
        dies: await agentImage(cleanup, await fixture('throws-in-prewarm.mjs')),
        mute: await agentImage(cleanup, await fixture('never-dials.mjs')),
        none: 'room-launcher-test-none:latest',
      };
      const config = join(folder, 'launcher.yaml');
      const profiles = Object.entries(images).map(([name, image]) => {
        const deadline = `joinDeadlineSeconds: ${JOIN_DEADLINE_MS / 1_000}`;
        return `  - { name: ${name}, image: "${image}", standby: 2, ${deadline} }\n`;
      });
      await writeFile(config, `profiles:\n${profiles.join('')}`);
      const env = { LAUNCHER_CONFIG: config, LAUNCHER_AGENT_IMAGE: '' };
      const { launcher } = await startDockerBed(cleanup, { network: 'host', env });

      const launchesOf = (profile: string) =>
        launcher
          .lines()
          .filter(({ event, fields }) => event === 'task.launch' && fields['profile'] === profile);
      const names = Object.keys(images);
      await waitFor(
        'all of them to be launched again and again',
        () => names.every((name) => launchesOf(name).length >= LAUNCHES),
        TEST_MS,
      );
      for (const name of names) {
        const times = launchesOf(name).map(({ timeMs }) => timeMs);
        const gaps = times.slice(1).map((timeMs, n) => timeMs - times[n]!);
        // Two at first, and two at once for a first failure; from then on one after another.
        expect(
          gaps.slice(2).every((gap) => gap >= FIRST_BACKOFF_MS),
          `${name}: ${gaps.join()}`,
        ).toBe(true);
        const warnings = launcher
          .lines()
          .filter(({ fields }) =>
            String(fields['msg']).startsWith(`the warm pool of profile ${name}`),
          );
        expect(warnings, name).toHaveLength(1);
        expect(warnings[0]).toMatchObject({ level: 'warn' });
      }
    },
  );

  test(
    'that refuse their offers: the next one, and a cold task at last',
    { timeout: TEST_MS },
    async () => {
      const files = { 'agent.py': await fixture('foreign/misfit.py') };
      const image = await derivedImage(cleanup, PYTHON_IMAGE, files, ['ENV MISFIT=busy']);
      const env = { LAUNCHER_STANDBY: '2', LAUNCHER_RESYNC_SECONDS: '1' };
      const bed = await startDockerBed(cleanup, { image, env });
      const ready = await readyStandbys(bed, 2);
      await bed.rooms.createRoom({ name: 'refused' });
      const { key } = await servedBy(bed, 'refused', 1, TEST_MS);
      const assigns = bed.launcher.events('task.assign');
      const of = (task: string) =>
        assigns.flatMap((event) => (event['task'] === task ? [event['outcome']] : []));
      expect(ready.map(of)).toEqual([['refused'], ['refused']]);
      expect(of(key)).toEqual(['refused', 'refused', 'assigned']);
      // They stay: a worker that is busy now may take the next room.
      expect((await standbys(bed)).map((row) => row.key)).toEqual(expect.arrayContaining(ready));
    },
  );
});
