/**
 * The suite on trial: drivers that each break one clause of the contract. Every one must be caught,
 * by the check that is named for it.
 */
import { describe, expect, it } from 'vitest';
import type { Driver } from '../../launcher/driver.ts';
import { memoryDriver, type MemoryEngine } from '../../launcher/drivers/memory.ts';
import { memoryHarness } from '../support/memory-harness.ts';
import { checks, runCheck } from './driver.contract.ts';
import { obstacles } from './harness.ts';
import { wrongEnd } from './wrong/end.ts';
import { wrongLaunch } from './wrong/launch.ts';
import { wrongList } from './wrong/list.ts';
import { wrongOutput } from './wrong/output.ts';
import { wrongUsage } from './wrong/usage.ts';

const wrongDrivers = [...wrongLaunch, ...wrongList, ...wrongEnd, ...wrongOutput, ...wrongUsage];

/** Clauses that only an engine with processes and files can break; see `process.test.ts`. */
const shown = checks.filter((check) => obstacles(memoryHarness(), check).length === 0);

describe('wrong drivers', () => {
  it.each(wrongDrivers)('one that $does is caught', async ({ caughtBy, fault }) => {
    const make = (engine: MemoryEngine, deployment: string): Driver => {
      const right = memoryDriver(engine, { deployment });
      return { ...right, ...fault(right, engine, deployment) };
    };
    const caught: string[] = [];
    for (const check of shown) {
      await runCheck(check, () => memoryHarness({ make })).catch(() => caught.push(check.name));
    }
    expect(caught).toContain(caughtBy);
  });

  it('there is one for every check', () => {
    const named = new Set(wrongDrivers.map(({ caughtBy }) => caughtBy));
    expect(shown.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([]);
  });
});
