/** Images that do not go well with a launcher: their users read why in the run's reason. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { derivedImage, runningNames, startDockerBed } from '../support/docker-bed.ts';
import { servedBy } from '../support/foreign-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { launches } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const PYTHON_IMAGE = 'room-launcher-agent-python:latest';
const AGENT = fileURLToPath(new URL('../fixtures/foreign/misfit.py', import.meta.url));
const TEST_MS = 150_000;

describeWith(
  'livekit',
  'docker',
  'foreign',
)('an image that', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function bedOf(misfit: string, joinDeadlineSeconds: number) {
    const files = { 'agent.py': await readFile(AGENT, 'utf8') };
    const image = await derivedImage(cleanup, PYTHON_IMAGE, files, [`ENV MISFIT=${misfit}`]);
    const env = {
      LAUNCHER_RETRIES: '0',
      LAUNCHER_RESYNC_SECONDS: '1',
      LAUNCHER_JOIN_DEADLINE_SECONDS: String(joinDeadlineSeconds),
    };
    return startDockerBed(cleanup, { image, env });
  }

  test.each([
    [
      'own-key',
      /: no worker of it has dialled .* \(dials with keys of no task that were refused: /,
    ],
    [
      'own-secret',
      /: a dial in its name was refused: .* use the LIVEKIT_API_SECRET that the launcher/,
    ],
    ['publisher', /: its worker dialled and did not register: .* set the worker type to ROOM/],
    [
      'never-available',
      /: its worker has registered and has no job \(offers in vain: \d+\): .*not avai/,
    ],
  ])(
    'is %s: the run fails at the join deadline, and says why',
    { timeout: TEST_MS },
    async (misfit, why) => {
      const bed = await bedOf(misfit, 25);
      const { launcher, rooms } = bed;
      const { sid } = await rooms.createRoom({ name: misfit });
      const look = async () => {
        const row = (await launcher.rooms()).find((room) => room.sid === sid);
        return row?.state === 'failed' ? row.reason : null;
      };
      const reason = await waitFor('the run to fail', look, 90_000);
      expect(reason).toMatch(/^1 of 1 attempts failed: .* by the join deadline: /);
      expect(reason).toMatch(why);
      expect(launcher.events('task.end')).toMatchObject([
        { task: `r-${sid}-1`, verdict: 'failed', reason: expect.stringMatching(why) },
      ]);
      expect(await runningNames(bed)).toEqual([]);
    },
  );

  test('refuses at first: is offered its job again, and serves', { timeout: TEST_MS }, async () => {
    const bed = await bedOf('busy', 60);
    const { sid } = await bed.rooms.createRoom({ name: 'patient' });
    const { key } = await servedBy(bed, 'patient', 1, 90_000);
    const outcomes = bed.launcher.events('task.assign').map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['refused', 'refused', 'assigned']);
    expect(launches(bed.launcher)).toEqual([key]);
    expect(key).toBe(`r-${sid}-1`);
  });
});
