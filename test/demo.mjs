/** `npm run demo`: all set-up, then `room-launcher dev` with the arguments given. */
import { join } from 'node:path';
import process from 'node:process';
import { root, run, setUp } from './setup.mjs';

await setUp();
const main = join(root, 'dist', 'launcher', 'main.js');
process.exitCode = await run(process.execPath, [main, 'dev', ...process.argv.slice(2)]);
