import { ecsHarness } from '../support/ecs-harness.ts';
import { contract } from './driver.contract.ts';

await contract('ecs', () => ecsHarness());
await contract('ecs that lags', () => ecsHarness({ listLagMs: 5_000, guardDuty: true }));
await contract('ecs over a port', () => ecsHarness({ overPort: true }));
