/** How tasks end before their rooms do: killed, failing, or stopped by an operator. */
import process from 'node:process';
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { startBed, type Bed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { agentFile } from '../support/runner.ts';
import { agentsIn, ended, fullPasses, launches, served, taskPid } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const RESYNC = { LAUNCHER_RESYNC_SECONDS: '1' };

/** Stopped by `path`: the agent leaves, and nothing is launched while the room lives. */
async function expectStopped({ launcher, rooms }: Bed, key: string, path: string, name: string) {
  expect((await launcher.admin(path, { method: 'POST' })).status).toBe(202);
  expect(await ended(launcher, key)).toMatchObject({ exitCode: 0, verdict: 'served' });
  await fullPasses(launcher, 2);
  expect(await agentsIn({ rooms }, name)).toEqual([]);
  expect(await rooms.listRooms([name])).toHaveLength(1);
  expect(launches(launcher)).toEqual([key]);
  const [row] = await launcher.rooms();
  expect(row).toMatchObject({ name, state: 'served' });
  expect((await launcher.admin(path, { method: 'POST' })).status).toBe(409);
}

describeWithLiveKit('a task that ends before its room', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('killed: the next attempt serves the same room after the backoff', async () => {
    const bed = await startBed(cleanup);
    const { launcher, rooms } = bed;
    await rooms.createRoom({ name: 'killed' });
    const first = await served(bed, 'killed');
    process.kill(-(await taskPid(launcher, first.key)), 'SIGKILL');
    const second = `r-${first.sid}-2`;
    await waitFor(
      'the next attempt',
      async () => (await served(bed, 'killed')).key === second,
      20_000,
    );
    expect((await served(bed, 'killed')).sid).toBe(first.sid);
    expect(await ended(launcher, first.key)).toMatchObject({ exitCode: 137, verdict: 'failed' });
    expect(launches(launcher)).toEqual([first.key, second]);
    const time = (event: string, task: string) =>
      launcher.lines().find((line) => line.event === event && line.fields['task'] === task)!.timeMs;
    const pausedMs = time('task.launch', second) - time('task.end', first.key);
    expect(pausedMs, 'the backoff of the first failure, less its spread').toBeGreaterThan(300);
  });

  test('failing until the retries are used up: the run is failed, and stays so', async () => {
    const env = { ...RESYNC, LAUNCHER_AGENT_FILE: agentFile('agent.mjs'), LAUNCHER_RETRIES: '1' };
    const { launcher, rooms } = await startBed(cleanup, { env });
    const metadata = JSON.stringify({ 'room-launcher': { metadata: 'throw-before-joining' } });
    const { sid } = await rooms.createRoom({ name: 'hopeless', metadata });
    const row = await waitFor(
      'the run to fail',
      async () => (await launcher.rooms()).find(({ state }) => state === 'failed'),
      20_000,
    );
    const reason = expect.stringMatching(/^2 of 2 attempts failed: agent code failed/);
    const key = `r-${sid}-2`;
    expect(row).toMatchObject({ name: 'hopeless', sid, attempts: 2, task: key, reason });
    expect(await launcher.taskLog(key)).toContain('entry went wrong');
    await fullPasses(launcher, 3);
    expect(launches(launcher)).toEqual([`r-${sid}-1`, key]);
    expect(launcher.events('run.fail')).toMatchObject([{ sid, reason, level: 'warn' }]);
    await rooms.deleteRoom('hopeless');
    await waitFor('it to be forgotten', async () => (await launcher.rooms()).length === 0);
  });

  test('its room stopped by an operator', async () => {
    const bed = await startBed(cleanup, { env: RESYNC });
    await bed.rooms.createRoom({ name: 'by room' });
    const { key } = await served(bed, 'by room');
    await expectStopped(bed, key, '/api/rooms/by%20room/stop', 'by room');
  });

  test('stopped by an operator', async () => {
    const bed = await startBed(cleanup, { env: RESYNC });
    await bed.rooms.createRoom({ name: 'by task' });
    const { key } = await served(bed, 'by task');
    await expectStopped(bed, key, `/api/tasks/${key}/stop`, 'by task');
  });
});
