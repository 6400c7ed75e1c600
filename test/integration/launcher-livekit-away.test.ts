/** The LiveKit server crashes and comes back, without its rooms, while one is served. */
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { startBed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { ended, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

/** Two looks ten seconds apart prove that a room is over; another ten pass before SIGTERM. */
const OVER_DEADLINE_MS = 40_000;

describeWithLiveKit('a LiveKit server that crashes', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('and is back: said once, and the new room has its own agent alone', async () => {
    const bed = await startBed(cleanup, { env: { LAUNCHER_RESYNC_SECONDS: '1' } });
    const { launcher, rooms, server } = bed;
    await rooms.createRoom({ name: 'twice' });
    const before = await served(bed, 'twice');
    const { pid } = launcher;
    const said = (what: string) =>
      launcher.lines().filter(({ fields }) => fields['msg'] === `LiveKit ${what}`);

    await server.kill();
    await waitFor('the outage', () => said('does not answer; retrying').length > 0);
    const { ready, livekit } = JSON.parse(await (await launcher.admin('/readyz')).text());
    expect([ready, livekit.state]).toEqual([true, 'down']);
    await server.start();
    // The name's next life, whoever makes it first: this call, or the old agent by coming back.
    const { sid } = await rooms.createRoom({ name: 'twice' });
    expect(sid).not.toBe(before.sid);
    const after = await waitFor('one agent', () => served(bed, 'twice'), OVER_DEADLINE_MS);
    expect(after).toMatchObject({ sid, key: `r-${sid}-1` });
    await ended(launcher, before.key);

    expect((await served(bed, 'twice')).agent.sid).toBe(after.agent.sid);
    expect(launcher.pid).toBe(pid);
    expect(said('does not answer; retrying')).toHaveLength(1);
    expect(said('answers again')).toHaveLength(1);
    const live = (await launcher.tasks()).filter(({ phase }) => phase !== 'ended');
    expect(live.map(({ key }) => key)).toEqual([after.key]);
  });
});
