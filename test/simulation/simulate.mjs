/**
 * Compiles the simulation and runs it, `npm run simulate -- --seeds 1000 --from 1`, or runs it on
 * mutants of the launcher, `npm run mutants`.
 */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const [entry = 'cli', ...args] = process.argv.slice(2);
const run = (command) =>
  spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' }).status ?? 1;

const compiled = run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.simulation.json']);
if (compiled !== 0) process.exit(compiled);
const main = `.cache/simulation/test/simulation/${entry}.js`;
process.exit(run(['--enable-source-maps', main, ...args]));
