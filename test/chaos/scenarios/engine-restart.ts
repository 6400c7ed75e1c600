/**
 * The engine is away for a while: cut off from the launcher alone, or really, by a kill of dockerd
 * and a new start, which ends every container of this machine.
 */
import { delay, systemClock } from '../../../launcher/lib/clock.ts';
import { startEngineProxy } from '../../support/docker-bed.ts';
import { docker } from '../../support/docker-engine.ts';
import { isRunning } from '../lives.ts';
import { restartDockerd } from '../dockerd.ts';
import { seconds } from '../figures.ts';
import type { Play, Scenario, Stage } from '../scenario.ts';
import { startWorld } from '../world.ts';

const AWAY_MS = [500, 6_000] as const;
const CHANGES_MAX = 2;

export const engineRestart: Scenario = {
  name: 'engine-restart',
  short: { rounds: 2, rooms: 4 },
  long: { rounds: 15, rooms: 10 },
  open: (stage) => (stage.really ? openReally(stage) : openCutOff(stage)),
};

async function openCutOff({ cleanup, random, bystander, rooms }: Stage): Promise<Play> {
  const { proxy, env } = await startEngineProxy(cleanup);
  const world = await startWorld(cleanup, { random, bystander, env });
  const { crowd, lives, deployment } = world;
  await crowd.fill(rooms);
  const round = async () => {
    const awayMs = random.between(...AWAY_MS);
    const count = random.between(1, CHANGES_MAX);
    await proxy.break();
    const churn = crowd.churn({ come: count, go: count, withinMs: awayMs });
    const [victim] = random.some(1, lives.all().filter(isRunning));
    if (victim) await docker.getContainer(`${deployment}.${victim.key}`).kill();
    await delay(systemClock, awayMs);
    await proxy.mend();
    const meanwhile = `meanwhile one container killed, ${await churn}`;
    return { faults: 2, said: `engine cut off for ${seconds(awayMs)}, ${meanwhile}` };
  };
  return { worlds: [world], round };
}

async function openReally({ cleanup, random, bystander, rooms }: Stage): Promise<Play> {
  const world = await startWorld(cleanup, { random, bystander });
  const { crowd, deployment } = world;
  await crowd.fill(rooms);
  const round = async () => {
    const awayMs = random.between(...AWAY_MS);
    const signal = random.chance(0.5) ? 'SIGTERM' : 'SIGKILL';
    await restartDockerd(signal, awayMs, deployment);
    return { faults: 1, said: `dockerd ended by ${signal}, away for ${seconds(awayMs)}` };
  };
  // The stranger's container ends with the engine, by nobody's fault of ours.
  return { worlds: [{ ...world, touched: () => Promise.resolve([]) }], round };
}
