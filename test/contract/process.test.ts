import { processHarness } from '../support/process-harness.ts';
import { contract } from './driver.contract.ts';

await contract('process', processHarness);
