/** A room's trace in a real collector, with an agent in a container. */
import { readFile } from 'node:fs/promises';
import { afterEach, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { startCollector } from '../support/collector.ts';
import { agentImage, hostOnBridge, startDockerBed } from '../support/docker-bed.ts';
import { describeWith } from '../support/left-out.ts';
import { oneTrace, tracedEnv } from './traces.suite.ts';

const AGENT = new URL('../fixtures/traced-agent.mjs', import.meta.url);

describeWith(
  'livekit',
  'docker',
  'collector',
)('traces of containers', () => {
  const cleanup = new Cleanup();

  afterEach(() => cleanup.run());

  test('a room is one trace, with the spans of its agent', async () => {
    const collector = cleanup.use(await startCollector(await hostOnBridge()));
    const env = await tracedEnv(cleanup, collector);
    const image = await agentImage(cleanup, await readFile(AGENT, 'utf8'));
    await oneTrace(await startDockerBed(cleanup, { image, env }), collector);
  }, 300_000);
});
