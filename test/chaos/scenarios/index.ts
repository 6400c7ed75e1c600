/** All scenarios, by the names that `npm run chaos -- --only <name>` takes. */
import type { Scenario } from '../scenario.ts';
import { containerKills } from './container-kills.ts';
import { engineRestart } from './engine-restart.ts';
import { hungAgents } from './hung-agents.ts';
import { launcherKills } from './launcher-kills.ts';
import { livekitKills } from './livekit-kills.ts';
import { outOfMemory } from './out-of-memory.ts';
import { rollOver } from './roll-over.ts';
import { stops } from './stops.ts';
import { twoDeployments } from './two-deployments.ts';
import { webhooks } from './webhooks.ts';

export const SCENARIOS: readonly Scenario[] = [
  launcherKills,
  containerKills,
  stops,
  outOfMemory,
  hungAgents,
  livekitKills,
  engineRestart,
  webhooks,
  rollOver,
  twoDeployments,
];
