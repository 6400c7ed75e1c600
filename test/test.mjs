/**
 * `npm test`: all set-up, then vitest with the arguments given.
 *
 * A part that tests need and this machine cannot have (a LiveKit server, containers, Prometheus …)
 * leaves those tests out, and that is said first and last. With CI=true it is a failure: nothing is
 * left out.
 */
import { join } from 'node:path';
import process from 'node:process';
import { findAwsCli } from './aws-cli.mjs';
import { findCfnLint } from './cfn-lint.mjs';
import { findChromium } from './chromium.mjs';
import { needCompose } from './compose.mjs';
import { findMinistack } from './ministack.mjs';
import { findCollector } from './otel-collector.mjs';
import { PartMissing } from './part-missing.mjs';
import { findPrometheus } from './prometheus.mjs';
import { findPythonAgents } from './python-agents.mjs';
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
  const ours = ['agent', 'launcher'];
  const foreign = ['python', 'javascript'];
  const found = [
    ['livekit', 'the real LiveKit server', await findServer()],
    ['docker', 'containers', await buildImages(ours)],
    ['foreign', 'ordinary LiveKit agents in containers', await buildImages(foreign)],
    ['python-agents', "LiveKit's Python worker", await whyNot(findPythonAgents)],
    ['ministack', 'an emulator of ECS', await whyNot(findMinistack)],
    ['compose', 'Docker Compose', await whyNot(needCompose)],
    ['aws-cli', "AWS's command line tool", await whyNot(findAwsCli)],
    ['cfn-lint', "CloudFormation's linter", await whyNot(findCfnLint)],
    ['prometheus', 'Prometheus', await whyNot(findPrometheus)],
    ['collector', "OpenTelemetry's collector", await whyNot(findCollector)],
    ['chromium', 'a browser', await whyNot(findBrowser)],
  ];
  return found
    .filter(([, , why]) => why !== null)
    .map(([part, tests, why]) => ({ part, tests, why }));
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

/** Null when there is one or it could be had, else why not. */
async function whyNot(find) {
  try {
    await find({ env, say });
    return null;
  } catch (error) {
    if (!(error instanceof PartMissing)) throw error;
    return error.message;
  }
}

/** Names the browser to the tests. */
async function findBrowser(how) {
  env.CHROMIUM_BIN = await findChromium(how);
}

function loudly() {
  const bar = '!'.repeat(100);
  const lines = missing.map(
    ({ tests, why }) => `TESTS ARE LEFT OUT: those with ${tests}.\n${why}\n`,
  );
  say(`\n${bar}\n${lines.join('\n')}${bar}\n`);
}
