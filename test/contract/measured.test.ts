/** A measured driver is a driver: the decorator changes nothing that a caller sees. */
import { measuredDriver } from '../../launcher/drivers/measured.ts';
import { memoryDriver } from '../../launcher/drivers/memory.ts';
import { systemClock } from '../../launcher/lib/clock.ts';
import { memoryHarness } from '../support/memory-harness.ts';
import { contract } from './driver.contract.ts';

await contract('measured', () =>
  memoryHarness({
    make: (engine, deployment) =>
      measuredDriver(memoryDriver(engine, { deployment }), systemClock, () => {}),
  }),
);
