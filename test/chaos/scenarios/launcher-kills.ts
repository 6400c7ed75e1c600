/** kill -9 of the launcher at any moment, also while it starts, while rooms come and go. */
import { delay, systemClock } from '../../../launcher/lib/clock.ts';
import { seconds } from '../figures.ts';
import type { Scenario } from '../scenario.ts';
import { killLauncher, startWorld } from '../world.ts';

const WINDOW_MS = 3_000;
const DOWN_MAX_MS = 2_000;
/** From the spawn to past readiness. */
const START_MS = [50, 800] as const;
const CHANGES_MAX = 5;

export const launcherKills: Scenario = {
  name: 'launcher-kills',
  short: { rounds: 3, rooms: 5 },
  long: { rounds: 50, rooms: 20 },
  async open({ cleanup, random, bystander, rooms }) {
    const world = await startWorld(cleanup, { random, bystander });
    const { crowd, launcher } = world;
    await crowd.fill(rooms);
    const round = async () => {
      const come = random.between(1, CHANGES_MAX);
      const go = crowd.live.size + come > rooms ? crowd.live.size + come - rooms : 1;
      const churn = crowd.churn({ come, go, withinMs: WINDOW_MS });
      const atMs = random.between(0, WINDOW_MS);
      const downMs = random.between(0, DOWN_MAX_MS);
      const twice = random.chance(1 / 3);
      await delay(systemClock, atMs);
      await killLauncher(world, launcher);
      await delay(systemClock, downMs);
      if (twice) {
        // It is killed before or soon after it is ready: either is fine.
        const starting = launcher.restart().catch(() => {});
        await delay(systemClock, random.between(...START_MS));
        await killLauncher(world, launcher);
        await starting;
      }
      await launcher.restart();
      const times = twice ? 'twice, once at its start' : 'once';
      const said = `killed at ${seconds(atMs)} ${times}, down ${seconds(downMs)}, ${await churn}`;
      return { faults: twice ? 2 : 1, said };
    };
    return { worlds: [world], round };
  },
};
