/**
 * A new launcher beside the old one, which then ends: by SIGTERM or by SIGKILL. Both stand behind the
 * same addresses, where webhooks and workers come to one or the other.
 */
import { AGENT_IMAGE, dockerEnv } from '../../support/docker-bed.ts';
import { freeLauncherPorts, startTestLauncher } from '../../support/launcher.ts';
import { startBalancer } from '../balancer.ts';
import type { Scenario } from '../scenario.ts';
import { killLauncher, startWorld } from '../world.ts';

const WINDOW_MS = 2_000;
/** What only the launcher that ended was told of, the other finds by the full pass. */
const RESYNC_SECONDS = 5;
const CHANGES_MAX = 3;

export const rollOver: Scenario = {
  name: 'roll-over',
  short: { rounds: 2, rooms: 4 },
  long: { rounds: 15, rooms: 10 },
  async open({ cleanup, random, bystander, rooms }) {
    const gateway = cleanup.use(await startBalancer());
    const webhook = cleanup.use(await startBalancer());
    const env = {
      LAUNCHER_GATEWAY_URL: `ws://127.0.0.1:${gateway.port}`,
      LAUNCHER_RESYNC_SECONDS: String(RESYNC_SECONDS),
    };
    const webhookUrls = [`http://127.0.0.1:${webhook.port}/webhook`];
    const world = await startWorld(cleanup, { random, bystander, env, webhookUrls });
    const { crowd, server, deployment, launchers } = world;
    const passTo = (...to: readonly { readonly ports: { gateway: number; webhook: number } }[]) => {
      gateway.passTo(...to.map(({ ports }) => ports.gateway));
      webhook.passTo(...to.map(({ ports }) => ports.webhook));
    };
    passTo(world.launcher);
    await crowd.fill(rooms);
    let old = world.launcher;
    const round = async () => {
      const ports = await freeLauncherPorts();
      const network = { LAUNCHER_DOCKER_NETWORK: 'host' };
      const next = await startTestLauncher({
        server,
        deployment,
        ports,
        env: { ...dockerEnv(AGENT_IMAGE), ...network, ...env },
      });
      cleanup.use(next);
      launchers.push(next);
      passTo(old, next);
      const change = () => {
        const count = random.between(1, CHANGES_MAX);
        return crowd.churn({ come: count, go: count, withinMs: WINDOW_MS });
      };
      const during = await change();
      const signal = random.chance(0.5) ? 'SIGTERM' : 'SIGKILL';
      const after = change();
      await (signal === 'SIGKILL' ? killLauncher(world, old) : old.end(signal));
      passTo(next);
      old = next;
      return {
        faults: 1,
        said: `two launchers: ${during}; one ended by ${signal}: ${await after}`,
      };
    };
    return { worlds: [world], round };
  },
};
