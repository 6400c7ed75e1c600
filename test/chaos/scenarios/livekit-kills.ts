/**
 * LiveKit's server is killed and is back without its rooms. Some are made again by those who come
 * back, and some by their own agents, whose clients come back by themselves.
 */
import { atMost } from '../../../launcher/dev/wait.ts';
import { delay, systemClock } from '../../../launcher/lib/clock.ts';
import { visit } from '../../support/visitor.ts';
import { seconds } from '../figures.ts';
import { judged } from '../oracle.ts';
import { type Scenario, WHOLE_DEADLINE_MS } from '../scenario.ts';
import { startWorld } from '../world.ts';

const DOWN_MAX_MS = 3_000;
/** One room in this many is not made again. */
const FORGOTTEN = 3;
/** A client whose connection broke may never say that it has left. */
const LEAVE_LIMIT_MS = 3_000;

export const livekitKills: Scenario = {
  name: 'livekit-kills',
  short: { rounds: 1, rooms: 3 },
  long: { rounds: 10, rooms: 12 },
  async open({ cleanup, random, bystander, rooms }) {
    const world = await startWorld(cleanup, { random, bystander });
    const { crowd, server } = world;
    await crowd.fill(rooms);
    const round = async () => {
      await crowd.clear();
      await crowd.fill(rooms);
      await judged(world, WHOLE_DEADLINE_MS);
      // Its client goes on trying to come back, as a person's does.
      const [visited = ''] = random.some(1, crowd.names());
      const visitor = await visit(server, visited);
      const downMs = random.between(0, DOWN_MAX_MS);
      await server.kill();
      const others = crowd.names().filter((name) => name !== visited);
      const forgotten = random.some(Math.floor(rooms / FORGOTTEN), others);
      for (const name of forgotten) crowd.live.delete(name);
      await delay(systemClock, downMs);
      await server.start();
      await crowd.comeBack();
      cleanup.defer(() => {
        const left = Promise.resolve(visitor[Symbol.asyncDispose]());
        return atMost(LEAVE_LIMIT_MS, left, systemClock);
      });
      const back = `${crowd.live.size} rooms made again, ${forgotten.length} not`;
      return { faults: 1, said: `LiveKit away for ${seconds(downMs)}, ${back}` };
    };
    return { worlds: [world], round };
  },
};
