/** Two deployments on one engine: whatever happens to the one, nothing of the other is touched. */
import { agentsIn } from '../../support/served.ts';
import { docker } from '../../support/docker-engine.ts';
import { isRunning } from '../lives.ts';
import type { Scenario } from '../scenario.ts';
import { killLauncher, startWorld, type World } from '../world.ts';

const WINDOW_MS = 2_000;
const CHANGES_MAX = 2;

export const twoDeployments: Scenario = {
  name: 'two-deployments',
  short: { rounds: 1, rooms: 4 },
  long: { rounds: 15, rooms: 12 },
  async open({ cleanup, random, bystander, rooms }) {
    const red = await startWorld(cleanup, { random, bystander });
    const blue = await startWorld(cleanup, { random, bystander });
    await Promise.all([red, blue].map(({ crowd }) => crowd.fill(rooms / 2)));
    let before: readonly string[] = [];
    const changed = async () => {
      if (before.length === 0) return [];
      const now = await everythingOf(blue);
      return before
        .filter((each) => !now.includes(each))
        .map((each) => `gone of the other: ${each}`);
    };
    const watched = {
      ...red,
      touched: async () => [...(await red.touched()), ...(await changed())],
    };
    const round = async () => {
      before = await everythingOf(blue);
      const count = random.between(1, CHANGES_MAX);
      const churn = red.crowd.churn({ come: count, go: count, withinMs: WINDOW_MS });
      await killLauncher(red, red.launcher);
      const [victim] = random.some(1, red.lives.all().filter(isRunning));
      if (victim) await docker.getContainer(`${red.deployment}.${victim.key}`).kill();
      await red.launcher.restart();
      const said = `launcher and one container of the one killed, ${await churn}`;
      return { faults: 2, said };
    };
    return { worlds: [watched, blue], round };
  },
};

/** The containers and agents of a deployment, by what changes with any restart. */
async function everythingOf(world: World): Promise<string[]> {
  const containers = world.lives.all().filter(isRunning);
  const agents = await Promise.all(world.crowd.names().map((name) => agentsIn(world, name)));
  return [
    ...containers.map(({ key, startedMs }) => `container ${key} since ${startedMs}`),
    ...agents.flat().map(({ sid, identity }) => `${identity} as ${sid}`),
  ];
}
