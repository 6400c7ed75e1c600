/** An agent whose event loop stands still: it hears no SIGTERM when its room is over. */
import { readFile } from 'node:fs/promises';
import { agentImage } from '../../support/docker-bed.ts';
import { docker, outputOf } from '../../support/docker-engine.ts';
import { agentFile } from '../../support/runner.ts';
import { served } from '../../support/served.ts';
import { waitFor } from '../../support/wait.ts';
import { seconds } from '../figures.ts';
import type { Scenario } from '../scenario.ts';
import { startWorld } from '../world.ts';

const SHUTDOWN_TIMEOUT_SECONDS = 2;
const KILLED = 137;
/** Ten seconds for the JobTermination, the shutdown timeout, and as much again for two cores. */
const END_DEADLINE_MS = 25_000;

export const hungAgents: Scenario = {
  name: 'hung-agents',
  short: { rounds: 1, rooms: 2 },
  long: { rounds: 5, rooms: 4 },
  async open({ cleanup, random, bystander, rooms }) {
    const image = await agentImage(cleanup, await readFile(agentFile('by-metadata.mjs'), 'utf8'));
    const env = { LAUNCHER_SHUTDOWN_TIMEOUT_SECONDS: String(SHUTDOWN_TIMEOUT_SECONDS) };
    const world = await startWorld(cleanup, { random, bystander, image, env });
    const { crowd, deployment } = world;
    await crowd.fill(rooms);
    const round = async () => {
      const name = await crowd.come('hangs');
      const { key } = await served(world, name);
      const container = docker.getContainer(`${deployment}.${key}`);
      const { Id } = await container.inspect();
      await waitFor('the agent to hang', async () => (await outputOf(Id)).includes('HANGS'));
      const goneMs = performance.now();
      await crowd.go(name);
      const ended = async () => {
        const { State } = await container.inspect();
        return State.Running ? null : State;
      };
      const { ExitCode } = await waitFor('the end of the container', ended, END_DEADLINE_MS);
      if (ExitCode !== KILLED) throw new Error(`the hung agent ended with ${ExitCode}`);
      const tookMs = performance.now() - goneMs;
      return { faults: 1, said: `one hung agent killed ${seconds(tookMs)} after its room's end` };
    };
    return { worlds: [world], round };
  },
};
