#!/usr/bin/env node
/**
 * `exercise.js <agent file>`: executes a bundle's start once, and writes V8's code of all that was
 * executed to file descriptor 3. Code that was made before would lack what is compiled when it is
 * first called, which is most of a start.
 *
 * It loads the agent file as a task does, and none of the agent's own functions run: the job, up to
 * a room that cannot be joined, is a stand-in's.
 */
import { writeSync } from 'node:fs';
import process from 'node:process';
import { findAgentFile } from '../agent-file.ts';
import { bundleOf, runBundle } from '../bundled.ts';
import { Ending, EXIT } from '../ends.ts';
import { createLog, Timeline } from '../log.ts';
import type { Settings } from '../start.ts';
import { startGateway, TASK } from './gateway.ts';

const CODE_FD = 3;

const agentFile = findAgentFile(process.argv[2] ?? '');
const { parts, script } = runBundle(bundleOf(agentFile));
const loaded = await parts.loadAgent(agentFile);
const agent = loaded.agents.defineAgent({ entry: (ctx) => ctx.connect() });

const gateway = await startGateway();
const settings: Settings = {
  ...TASK,
  agentFile,
  gatewayUrl: gateway.url,
  agentName: '',
  logLevel: 'silent',
};
const lines: string[] = [];
const log = createLog((line) => lines.push(line), Date.now);
const tools = { ending: new Ending(), log, timeline: new Timeline() };
const end = await new parts.Runner(settings, {
  ...tools,
  // No models: they may be large, and be fetched later.
  load: async () => ({ ...loaded, agent, models: {} }),
}).run();
gateway.close();
// The room has no address: whoever got as far as to it has executed a start.
if (end.code !== EXIT.unreachable) {
  throw new Error(`the start ended early (${end.reason}):\n${lines.join('')}`);
}
const code = script.createCachedData();
for (let at = 0; at < code.length;) at += writeSync(CODE_FD, code, at);
process.exit();
