/**
 * `npm test`: all set-up, then vitest with the arguments given.
 *
 * A part that tests need and this machine cannot have (a LiveKit server, containers, an emulator of
 * ECS) leaves those tests out, and that is said first and last. With CI=true it is a failure:
 * nothing is left out.
 */
import { join } from 'node:path';
import process from 'node:process';
import { findMinistack, MinistackMissing } from './ministack.mjs';
import { buildImages, fail, root, run, say, setUp } from './setup.mjs';

await setUp();
const env = { ...process.env };
const missing = await findParts();
env.ROOM_LAUNCHER_TEST_WITHOUT = missing.map(({ part }) => part).join();
if (missing.length > 0) {
  if (env.CI === 'true') fail(`CI=true, and ${missing.map(({ why }) => why).join('\nand ')}`);
  loudly();
}
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
process.exitCode = await run(process.execPath, [vitest, 'run', ...process.argv.slice(2)], env);
if (missing.length > 0) loudly();

/** What this machine cannot have, each with the tests that need it and why not. */
async function findParts() {
  const found = [
    { part: 'livekit', tests: 'the real LiveKit server', why: await findServer() },
    { part: 'docker', tests: 'containers', why: await buildImages() },
    {
      part: 'foreign',
      tests: 'ordinary LiveKit agents in containers',
      why: await buildImages(['python', 'javascript']),
    },
    { part: 'ministack', tests: 'an emulator of ECS', why: await findEmulator() },
  ];
  return found.filter(({ why }) => why !== null);
}

/** Names the server to the tests; null when there is one, else why not. */
async function findServer() {
  const { findLiveKitServer, LiveKitServerMissing } =
    await import('../dist/launcher/dev/livekit-binary.js');
  try {
    env.LIVEKIT_SERVER_BIN = await findLiveKitServer({ env, progress: say });
    return null;
  } catch (error) {
    if (!(error instanceof LiveKitServerMissing)) fail(error.message);
    return error.message;
  }
}

/** Null when the tests will find one, else why not. */
async function findEmulator() {
  try {
    await findMinistack({ env, say });
    return null;
  } catch (error) {
    if (!(error instanceof MinistackMissing)) throw error;
    return error.message;
  }
}

function loudly() {
  const bar = '!'.repeat(100);
  const lines = missing.map(
    ({ tests, why }) => `TESTS ARE LEFT OUT: those with ${tests}.\n${why}\n`,
  );
  say(`\n${bar}\n${lines.join('\n')}${bar}\n`);
}
