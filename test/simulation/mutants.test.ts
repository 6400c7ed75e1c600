/** The simulation sees each known bug that is put into the launcher. */
import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';

const ENTRY = fileURLToPath(new URL('simulate.mjs', import.meta.url));
const DEADLINE_MS = 900_000;

it('kills every mutant', { timeout: DEADLINE_MS }, async () => {
  const run = promisify(execFile)(process.execPath, [ENTRY, 'mutate'], { timeout: DEADLINE_MS });
  const { stdout } = await run;
  expect(stdout).toContain(`${MUTANTS.length} mutants, 0 survived`);
});
