/** Two deployments on one machine: neither lists, stops or removes what is the other's. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { startBed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { ended, fullPasses, launches, served, taskPid } from '../support/served.ts';

describeWithLiveKit('two deployments with one state folder', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('each sees its own tasks alone, also after a restart and at their end', async () => {
    const stateHome = await mkdtemp(join(tmpdir(), 'two-deployments-'));
    cleanup.defer(() => rm(stateHome, { recursive: true, force: true }));
    const env = { LAUNCHER_RESYNC_SECONDS: '1' };
    // One's name is the beginning of the other's.
    const red = await startBed(cleanup, { stateHome, env, deployment: 'red' });
    const blue = await startBed(cleanup, { stateHome, env, deployment: 'red-blue' });
    await Promise.all([red, blue].map(({ rooms }) => rooms.createRoom({ name: 'same' })));
    const inRed = await served(red, 'same');
    const inBlue = await served(blue, 'same');
    const pid = await taskPid(blue.launcher, inBlue.key);
    const keys = async ({ launcher }: typeof red) => (await launcher.tasks()).map(({ key }) => key);
    expect(await keys(red)).toEqual([inRed.key]);
    expect(await keys(blue)).toEqual([inBlue.key]);
    const stop = await red.launcher.admin(`/api/tasks/${inBlue.key}/stop`, { method: 'POST' });
    expect(stop.status).toBe(404);

    // A new launcher of the one deployment: to it the other's room is unknown and its task old.
    await red.launcher.end('SIGKILL');
    await red.launcher.restart();
    await red.rooms.deleteRoom('same');
    expect(await ended(red.launcher, inRed.key)).toMatchObject({ exitCode: 0 });
    await fullPasses(red.launcher, 2);
    expect(await keys(red)).toEqual([inRed.key]);
    expect(red.launcher.output()).not.toContain(inBlue.sid);

    const after = await served(blue, 'same');
    expect(after).toMatchObject({ key: inBlue.key, agent: { sid: inBlue.agent.sid } });
    expect(await taskPid(blue.launcher, inBlue.key)).toBe(pid);
    expect(existsSync(join(blue.launcher.taskFolder(inBlue.key), 'stop'))).toBe(false);
    expect(await keys(blue)).toEqual([inBlue.key]);
    expect(launches(blue.launcher)).toEqual([inBlue.key]);
  });
});
