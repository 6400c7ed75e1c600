/** An agent that needs more memory than its container has, each time that it is tried. */
import { readFile } from 'node:fs/promises';
import { agentImage } from '../../support/docker-bed.ts';
import { docker } from '../../support/docker-engine.ts';
import { agentFile } from '../../support/runner.ts';
import { waitFor } from '../../support/wait.ts';
import type { Scenario } from '../scenario.ts';
import { startWorld, type World } from '../world.ts';

const RETRIES = 1;
const FAILED_DEADLINE_MS = 60_000;

export const outOfMemory: Scenario = {
  name: 'out-of-memory',
  short: { rounds: 1, rooms: 2 },
  long: { rounds: 5, rooms: 4 },
  async open({ cleanup, random, bystander, rooms }) {
    const image = await agentImage(cleanup, await readFile(agentFile('by-metadata.mjs'), 'utf8'));
    const env = { LAUNCHER_RETRIES: String(RETRIES) };
    const world = await startWorld(cleanup, { random, bystander, image, env });
    const { crowd, stopped } = world;
    await crowd.fill(rooms);
    const round = async () => {
      const name = await crowd.come('eats-memory');
      const sid = crowd.live.get(name) ?? '';
      await givenUp(world, sid);
      stopped.add(sid);
      return { faults: RETRIES + 1, said: 'one agent out of memory until it was given up' };
    };
    return { worlds: [world], round };
  },
};

/** Waits for the run to be failed, for the right reason, after as many tries as it has. */
async function givenUp({ launcher, deployment }: World, sid: string): Promise<void> {
  const failed = () => launcher.events('run.fail').find((event) => event['sid'] === sid);
  const { reason } = await waitFor('the run to be given up', failed, FAILED_DEADLINE_MS);
  const tries = RETRIES + 1;
  const expected = `${tries} of ${tries} attempts failed: killed: out of memory`;
  if (reason !== expected) throw new Error(`given up because of: ${String(reason)}`);
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const { State } = await docker.getContainer(`${deployment}.r-${sid}-${attempt}`).inspect();
    if (!State.OOMKilled) throw new Error(`attempt ${attempt} was not out of memory`);
  }
}
