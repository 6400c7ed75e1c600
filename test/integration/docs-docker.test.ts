/**
 * The launcher as a container beside a LiveKit server: the commands of the README, docs/docker.md and
 * what docs/http.md and docs/troubleshooting.md tell to ask it.
 */
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { containersOf, hostOnBridge } from '../support/docker-bed.ts';
import { docker, removeContainer, removeDeployment, uniqueName } from '../support/docker-engine.ts';
import { docCommand } from '../support/doc-commands.ts';
import { docEnv, runBlock } from '../support/doc-shell.ts';
import { freeLauncherPorts, roomClient, webhookUrlOf } from '../support/launcher.ts';
import { describeWith } from '../support/left-out.ts';
import { startTestServer } from '../support/livekit-server.ts';
import { ROOT } from '../support/markdown.ts';
import { served } from '../support/served.ts';
import { visit } from '../support/visitor.ts';
import { waitFor } from '../support/wait.ts';

const README = '../README.md';
const TEST_DEADLINE_MS = 600_000;
const READY_DEADLINE_MS = 60_000;
const ROOM = 'room';

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

/** Runs the block of this page that contains `part`, with names, ports and keys of the test's own. */
type Does = (page: string, heading: string, part: string) => Promise<string>;

async function machine() {
  const deployment = uniqueName('docs');
  const ports = await freeLauncherPorts();
  const host = await hostOnBridge();
  const server = cleanup.use(
    await startTestServer({
      webhookUrls: [webhookUrlOf(ports)],
      bindAddresses: ['127.0.0.1', host],
      nodeIp: host,
    }),
  );
  const env = await docEnv(cleanup, {
    OUR_URL: server.url.replace('127.0.0.1', host),
    OUR_KEY: server.apiKey,
    OUR_SECRET: server.apiSecret.reveal(),
  });
  const { webhook, gateway, admin } = ports;
  const ours = (block: string) =>
    block
      .replace('URL=wss://your.livekit.server', 'URL=$OUR_URL')
      .replace('KEY=…', 'KEY=$OUR_KEY')
      .replace('SECRET=…', 'SECRET=$OUR_SECRET')
      .replace('--name room-launcher', `--name ${deployment}`)
      .replace('-p 8080:8080', `-p ${webhook}:8080`)
      .replace('-p 8083:8083', `-p ${gateway}:${gateway}`)
      .replace('-e LAUNCHER_ADMIN', `-e LAUNCHER_GATEWAY_LISTEN=0.0.0.0:${gateway} $&`)
      .replace('-e LAUNCHER_ADMIN', `-e LAUNCHER_DEPLOYMENT=${deployment} $&`)
      .replace('127.0.0.1:8082:8082', `127.0.0.1:${admin}:8082`)
      .replaceAll('127.0.0.1:8082', `127.0.0.1:${admin}`)
      .replace('internal:8083', `internal:${gateway}`)
      .replace('deployment=default', `deployment=${deployment}`)
      .replaceAll('room-launcher.default', `room-launcher.${deployment}`);
  const does: Does = async (page, heading, part) => {
    const block = ours(await docCommand(page, heading, part));
    return (await runBlock(block, { folder: ROOT, env })).stdout;
  };
  cleanup.defer(() => removeDeployment(deployment));
  cleanup.defer(() => removeContainer(deployment));
  return { deployment, server, admin: `http://127.0.0.1:${admin}`, does };
}

describeWith('livekit', 'docker')('the launcher in a container', () => {
  test('serves a room as the pages say', { timeout: TEST_DEADLINE_MS }, async () => {
    const { deployment, server, admin, does } = await machine();
    const rooms = roomClient(server);
    await does(README, 'Use it with your LiveKit server', 'npm run image');
    await does('docker.md', 'Start it', 'npm run image');
    await does('deploy.md', 'One machine', 'npm run image');
    await does(README, 'Use it with your LiveKit server', 'docker run');
    const ready = async () => (await fetch(`${admin}/readyz`)).ok;
    await waitFor('the launcher', ready, READY_DEADLINE_MS);

    await rooms.createRoom({ name: ROOM });
    const visitor = cleanup.use(await visit(server, ROOM));
    const { agent, key } = await served({ rooms }, ROOM);
    await visitor.asks(agent.identity, 'are you there?');

    for (const [page, heading] of [
      ['http.md', 'The admin API'],
      ['troubleshooting.md', 'Troubleshooting'],
    ] as const) {
      const said = await does(page, heading, '/api/rooms');
      expect(said).toContain(key);
      expect(said).toContain('"ready":true');
    }
    expect(await does('troubleshooting.md', 'A task never joins', 'docker run')).toBe('404\n');

    const health = async () => (await docker.getContainer(deployment).inspect()).State.Health;
    await waitFor(
      'its own health check',
      async () => (await health())?.Status === 'healthy',
      30_000,
    );
    await removeContainer(deployment);
    expect(await containersOf({ deployment })).toHaveLength(1);
    await does('warm-pool.md', 'Warm pool', 'xargs');
    expect(await containersOf({ deployment })).toEqual([]);
    await does('docker.md', 'Remove all of it', 'docker network rm');
    const networks = await docker.listNetworks({ filters: { name: [deployment] } });
    expect(networks).toEqual([]);
  });
});
