/** Compiles the simulation, runs it: `npm run simulate -- --seeds 1000 --from 1`. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = (args) =>
  spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;

const compiled = run(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.simulation.json']);
if (compiled !== 0) process.exit(compiled);
const cli = '.cache/simulation/test/simulation/cli.js';
process.exit(run(['--enable-source-maps', cli, ...process.argv.slice(2)]));
