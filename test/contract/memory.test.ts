import { contract } from './driver.contract.ts';
import { memoryHarness } from '../support/memory-harness.ts';

await contract('memory', () => memoryHarness());
await contract('memory that lags', () => memoryHarness({ listLagMs: 300, startDelayMs: 200 }));
