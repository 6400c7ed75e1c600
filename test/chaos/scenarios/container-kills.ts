/** kill -9 of containers: of agents that serve, and of some that have only begun to start. */
import { delay, systemClock } from '../../../launcher/lib/clock.ts';
import { docker } from '../../support/docker-engine.ts';
import { isRunning } from '../lives.ts';
import { judged } from '../oracle.ts';
import { type Scenario, WHOLE_DEADLINE_MS } from '../scenario.ts';
import { startWorld } from '../world.ts';

const VICTIMS_MAX = 3;
const NEWCOMER_MS = 1_500;

export const containerKills: Scenario = {
  name: 'container-kills',
  short: { rounds: 2, rooms: 4 },
  long: { rounds: 20, rooms: 10 },
  async open({ cleanup, random, bystander, rooms }) {
    const world = await startWorld(cleanup, { random, bystander });
    const { crowd, lives, deployment } = world;
    await crowd.fill(rooms);
    let hurt: string[] = [];
    const round = async () => {
      // A room that was hurt waits longer the next time: each is hurt once.
      await Promise.all(hurt.map((name) => crowd.go(name)));
      await crowd.fill(rooms);
      await judged(world, WHOLE_DEADLINE_MS);
      const newcomers = random.chance(0.5) ? [await crowd.come()] : [];
      if (newcomers.length > 0) await delay(systemClock, random.between(0, NEWCOMER_MS));
      const chosen = random.some(random.between(1, VICTIMS_MAX), crowd.names());
      const names = [...new Set([...chosen, ...newcomers])];
      const killed = await Promise.all(
        names.map(async (name) => {
          const sid = crowd.live.get(name);
          const life = lives.all().find((each) => each.sid === sid && isRunning(each));
          if (life) await docker.getContainer(`${deployment}.${life.key}`).kill();
          return life ? [name] : [];
        }),
      );
      hurt = killed.flat();
      const said = `${hurt.length} killed, ${newcomers.length} of them as it started`;
      return { faults: hurt.length, said };
    };
    return { worlds: [world], round };
  },
};
