#!/usr/bin/env node
/**
 * The task's main process: `main.js <agent file>`. One task, one job, one exit code (`ends.ts`).
 *
 * Reads LIVEKIT_URL (the launcher's gateway), LIVEKIT_API_KEY and LIVEKIT_API_SECRET (the task's
 * own), which the launcher sets. Only this file touches the process: its arguments, environment,
 * signals and exit. What takes time to load comes after them, bundled where the image has a bundle.
 */
import { findAgentFile } from './agent-file.ts';
import { findBundle, type Parts, runBundle } from './bundled.ts';
import { type End, Ending, EXIT } from './ends.ts';
import { createLog, thrown, Timeline } from './log.ts';
import { readSettings, StartError } from './start.ts';

const log = createLog((line) => process.stdout.write(line), Date.now);
const timeline = new Timeline();
const ending = new Ending();

process.on('SIGTERM', () => {
  const decided = !ending.end({ code: EXIT.sigterm, reason: 'SIGTERM' });
  log.info(decided ? 'SIGTERM while ending: nothing changes' : 'SIGTERM: ending the job');
});
process.on('uncaughtException', (error: unknown) => {
  log.error('agent code: uncaught exception', thrown(error));
  ending.end({ code: EXIT.agentFailed, reason: 'uncaught exception' });
});
// Whoever read our output may go first; saying so there would only fail again, for ever.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
// As agents-js does: a stray rejection in the background must not cost a live call.
process.on('unhandledRejection', (error: unknown) => {
  log.error('agent code: unhandled rejection; the job goes on', thrown(error));
});

async function run(): Promise<End> {
  try {
    const settings = readSettings(process.argv.slice(2), process.env);
    const file = findAgentFile(settings.agentFile);
    const { Runner, loadAgent } = await partsFor(file);
    const load = () => loadAgent(file);
    return await new Runner(settings, { load, ending, log, timeline }).run();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    log.error(error.message);
    return { code: EXIT.badStart, reason: 'bad start configuration' };
  }
}

async function partsFor(file: string): Promise<Parts> {
  const bundle = findBundle(file, log);
  if (!bundle) return import('./unbundled.ts');
  const { parts, rejected } = runBundle(bundle);
  if (rejected) log.warn('code cache not taken: NODE_OPTIONS or Node differ from the build');
  return parts;
}

const end = await run();
log.info('runner.ended', { code: end.code, reason: end.reason, ...timeline.fields() });
process.exit(end.code);
