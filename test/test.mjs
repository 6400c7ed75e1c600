/**
 * `npm test`: all set-up, then vitest with the arguments given.
 *
 * A part that tests need and this machine cannot have (a LiveKit server) leaves those tests out, and
 * that is said first and last. With CI=true it is a failure: nothing is left out.
 */
import { join } from 'node:path';
import process from 'node:process';
import { fail, root, run, setUp } from './setup.mjs';

await setUp();
const { env, missing } = await findParts();
if (missing && process.env['CI'] === 'true') fail(`CI=true, and ${missing}`);
if (missing) loudly(missing);
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
process.exitCode = await run(process.execPath, [vitest, 'run', ...process.argv.slice(2)], env);
if (missing) loudly(missing);

/** The environment for the tests, and why a part is missing, if one is. */
async function findParts() {
  const { findLiveKitServer, LiveKitServerMissing } =
    await import('../dist/launcher/dev/livekit-binary.js');
  try {
    const bin = await findLiveKitServer({ env: process.env, progress: say });
    return { env: { ...process.env, LIVEKIT_SERVER_BIN: bin }, missing: null };
  } catch (error) {
    if (!(error instanceof LiveKitServerMissing)) return fail(error.message);
    return {
      env: { ...process.env, ROOM_LAUNCHER_TEST_WITHOUT: 'livekit' },
      missing: error.message,
    };
  }
}

function loudly(why) {
  const bar = '!'.repeat(100);
  say(`\n${bar}\nTESTS ARE LEFT OUT: those with the real LiveKit server.\n${why}\n${bar}\n`);
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
