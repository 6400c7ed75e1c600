/** `docker stop` by a stranger, after which the agent comes back; by the operator, when it does not. */
import { docker } from '../../support/docker-engine.ts';
import { served } from '../../support/served.ts';
import { judged } from '../oracle.ts';
import { type Scenario, WHOLE_DEADLINE_MS } from '../scenario.ts';
import { startWorld } from '../world.ts';

const GRACE_SECONDS = 10;

export const stops: Scenario = {
  name: 'stops',
  short: { rounds: 1, rooms: 3 },
  long: { rounds: 20, rooms: 6 },
  async open({ cleanup, random, bystander, rooms }) {
    const world = await startWorld(cleanup, { random, bystander });
    const { crowd, launcher, deployment, stopped } = world;
    await crowd.fill(rooms);
    let hurt: string[] = [];
    const round = async () => {
      await Promise.all(hurt.map((name) => crowd.go(name)));
      await crowd.fill(rooms);
      await judged(world, WHOLE_DEADLINE_MS);
      hurt = random.some(2, crowd.names());
      const [theirs = '', ours = ''] = hurt;
      const byStranger = await served(world, theirs);
      const byOperator = await served(world, ours);
      const wholeRoom = random.chance(0.5);
      const path = wholeRoom ? `/api/rooms/${ours}/stop` : `/api/tasks/${byOperator.key}/stop`;
      const [{ status }] = await Promise.all([
        launcher.admin(path, { method: 'POST' }),
        docker.getContainer(`${deployment}.${byStranger.key}`).stop({ t: GRACE_SECONDS }),
      ]);
      if (status !== 202) throw new Error(`${path} was answered with ${status}`);
      stopped.add(byOperator.sid);
      const how = wholeRoom ? 'a room' : 'a task';
      return { faults: 2, said: `one container stopped by a stranger, ${how} by the operator` };
    };
    return { worlds: [world], round };
  },
};
