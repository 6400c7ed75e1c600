/**
 * `npm run demo`: all set-up, then `room-launcher dev` with the arguments given.
 *
 * Tasks run in containers where the runner's image can be built, else, and that is said, as
 * processes. An engine or network that was asked for is taken or is a failure.
 */
import { join } from 'node:path';
import process from 'node:process';
import { buildImages, fail, root, run, say, setUp } from './setup.mjs';

const args = process.argv.slice(2);
const asked = /--(?:engine[ =](\w+)|network)/.exec(args.join(' '));
/** An ordinary agent's image, which is there in containers alone. */
const agent = /--agent[ =](python|javascript)/.exec(args.join(' '))?.[1];
/** An image of the user's own; ours are not needed then. */
const image = /--image[ =]/.test(args.join(' '));
const processes = asked?.[1] === 'process';

await setUp();
const whyNot = processes || image ? null : await buildImages([agent ?? 'agent']);
if (whyNot && (asked || agent)) fail(`failed: containers: ${whyNot}`);
if (whyNot) {
  say(`NO CONTAINERS, tasks run as processes of this machine: ${whyNot}`);
  args.push('--engine', 'process');
}
const main = join(root, 'dist', 'launcher', 'main.js');
process.exitCode = await run(process.execPath, [main, 'dev', ...args]);
