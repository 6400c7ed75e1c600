/**
 * `npm run fuzz`: the doors against generated requests, tokens and frames, more of them than in
 * `npm test`. `-- --cases N` (100,000), `--seed S` (a random one), `--only webhook | gateway |
 * parsers`. A failing case prints the line that replays it; every run prints the heap after a forced
 * garbage collection, early and at the end. Installs and builds nothing.
 */
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { fail, root, run } from './setup.mjs';

const DOORS = ['webhook', 'gateway', 'parsers'];
const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
});
const { cases, seed, only } = values;
if (!/^[1-9]\d{0,8}$/.test(cases)) fail(`--cases is "${cases}": a whole number from 1 on`);
if (seed !== undefined && !/^\d{1,10}$/.test(seed)) fail(`--seed is "${seed}": a whole number`);
if (only !== undefined && !DOORS.includes(only)) fail(`--only is "${only}": ${DOORS.join(', ')}`);
const env = { ...process.env, FUZZ_CASES: cases, ...(seed !== undefined && { FUZZ_SEED: seed }) };
if (only !== undefined) env.FUZZ_ONLY = only;
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const files = only === undefined ? 'test/unit/fuzz' : `test/unit/fuzz/${only}.test.ts`;
process.exitCode = await run(process.execPath, [vitest, 'run', '--project', 'unit', files], env);
