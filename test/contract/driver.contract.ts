/**
 * The driver contract in executable form: every clause of the comment in `launcher/driver.ts` is a
 * named check, and every driver runs them all. A driver's test file holds its harness and one call
 * of `contract`.
 */
import assert from 'node:assert/strict';
import { describe, expect, it } from 'vitest';
import { endChecks } from './end.checks.ts';
import { Bench, type Check, type Harness, obstacles } from './harness.ts';
import { launchChecks } from './launch.checks.ts';
import { listChecks } from './list.checks.ts';
import { usageChecks } from './usage.checks.ts';
import { outputChecks } from './output.checks.ts';

export const checks: readonly Check[] = [
  ...launchChecks,
  ...listChecks,
  ...endChecks,
  ...usageChecks,
  ...outputChecks,
];

/** Longest time for one check, all its launchers and tasks included. */
const CHECK_TIMEOUT_MS = 30_000;

/** Runs a check on a harness of its own, which is disposed of in any case. */
export async function runCheck(
  check: Check,
  makeHarness: () => Harness | Promise<Harness>,
): Promise<void> {
  await using harness = await makeHarness();
  await check.run(new Bench(harness));
}

/** What this engine cannot be made to show stands in the report, with the reason. */
export async function contract(
  name: string,
  makeHarness: () => Harness | Promise<Harness>,
): Promise<void> {
  await using sample = await makeHarness();
  const names = new Set(checks.map((check) => check.name));
  const stray = Object.keys(sample.unfaithful ?? {}).filter((check) => !names.has(check));
  assert.deepEqual(stray, [], 'left out, and no checks of this name');
  describe.concurrent(`driver contract: ${name}`, () => {
    for (const check of checks) {
      const reasons = obstacles(sample, check);
      if (reasons.length === 0) {
        it(check.name, () => runCheck(check, makeHarness), CHECK_TIMEOUT_MS);
      } else {
        it(`${check.name} [not shown on this engine: ${reasons.join('; ')}]`, () => {
          expect(reasons.join()).not.toBe('');
        });
      }
    }
  });
}
