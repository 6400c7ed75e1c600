/** Webhooks that are lost, come up to ten times, late and in any order. */
import { startFaultyWebhooks } from '../faulty-webhooks.ts';
import type { Scenario } from '../scenario.ts';
import { startWorld } from '../world.ts';

const WINDOW_MS = 3_000;
const CHANGES_MAX = 4;
/** What no webhook tells of is found by the full pass. */
const RESYNC_SECONDS = 5;

export const webhooks: Scenario = {
  name: 'webhooks',
  short: { rounds: 1, rooms: 4 },
  long: { rounds: 20, rooms: 12 },
  async open({ cleanup, random, bystander, rooms }) {
    const proxy = cleanup.use(await startFaultyWebhooks(random));
    const env = { LAUNCHER_RESYNC_SECONDS: String(RESYNC_SECONDS) };
    const webhookUrls = [proxy.url];
    const world = await startWorld(cleanup, { random, bystander, env, webhookUrls });
    proxy.passTo(world.launcher.webhookUrl);
    const { crowd } = world;
    await crowd.fill(rooms);
    const round = async () => {
      const before = proxy.counts();
      const count = random.between(1, CHANGES_MAX);
      const churn = await crowd.churn({ come: count, go: count, withinMs: WINDOW_MS });
      await proxy.quiet();
      const now = proxy.counts();
      const [heard, lost] = [now.heard - before.heard, now.lost - before.lost];
      const said = `${churn}; of ${heard} webhooks ${lost} lost, ${now.sent - before.sent} sent`;
      return { faults: heard, said };
    };
    return { worlds: [world], round };
  },
};
