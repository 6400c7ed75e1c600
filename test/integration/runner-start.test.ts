/** How the runner starts and how it waits: no room and no LiveKit server needed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeGateway } from '../fakes/gateway.ts';
import { agentFile, type Runner, startRunner } from '../support/runner.ts';
import { Cleanup } from '../support/cleanup.ts';
import { waitFor } from '../support/wait.ts';

const KEY = 'r-RM_thisRoom-1';
const ROOM = { url: 'ws://127.0.0.1:9', token: '', room: { sid: 'RM_thisRoom', name: 'room' } };

let cleanup: Cleanup;
let gateway: FakeGateway;

beforeEach(async () => {
  cleanup = new Cleanup();
  gateway = cleanup.use(await FakeGateway.start(KEY));
});
afterEach(async () => {
  await cleanup.run();
  expect(gateway.complaints).toEqual([]);
});

const start = (operands: readonly string[], env: Record<string, string> = {}): Runner =>
  cleanup.use(startRunner(gateway, operands, env));
const waiting = async (): Promise<Runner> => {
  const runner = start([agentFile('agent.mjs')]);
  await gateway.line();
  return runner;
};

test.for([
  ['throws-at-import.mjs', 'agent file failed at import', 'import went wrong'],
  ['throws-in-prewarm.mjs', 'prewarm failed', 'prewarm went wrong'],
] as const)('%s: exit code 1, never registered', async ([file, message, error]) => {
  const runner = start([agentFile(file)]);
  expect(await runner.exit).toBe(1);
  const line = await runner.line(message);
  expect(line['error']).toBe(error);
  expect(line['stack']).toContain(file);
  expect(gateway.lines).toEqual([]);
});

test('a bad start is exit code 64, with a line that says what to do', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'runner-'));
  cleanup.defer(() => rm(dir, { recursive: true }));
  const typescript = join(dir, 'agent.ts');
  await writeFile(typescript, 'export {};');
  const agent = agentFile('agent.mjs');
  const cases: [string[], Record<string, string>, string][] = [
    [[], {}, 'No agent file given'],
    [[join(dir, 'missing.js')], {}, 'missing.js'],
    [[dir], {}, 'no file that can be read'],
    [[agentFile('no-agent.mjs')], {}, 'no agent as its default export'],
    [[agent], { LIVEKIT_API_SECRET: '' }, 'LIVEKIT_API_SECRET is not set'],
  ];
  if (!Reflect.get(process.features, 'typescript')) {
    cases.push([[typescript], {}, 'is TypeScript']);
  }
  for (const [operands, env, said] of cases) {
    const runner = start(operands, env);
    expect(await runner.exit, said).toBe(64);
    expect(runner.output()).toContain(said);
    expect(runner.output()).not.toContain(gateway.taskSecret);
  }
});

test('outlives whoever read its output', async () => {
  const runner = await waiting();
  runner.stopReading();
  (await gateway.line()).drop(); // of which it would tell
  (await gateway.line(1)).terminate();
  expect(await runner.exit).toBe(0);
});

test("has the models of agents-js' own, as its worker has", async () => {
  const runner = start([agentFile('end-of-turn.mjs')]);
  const line = await gateway.line();
  expect(await line.offer(ROOM)).toBe(true);
  line.assign(ROOM);
  expect(await runner.exit, runner.output()).toBe(0);
  expect(runner.output()).toMatch(/^end of turn: [01](?:\.\d+)?$/m);
});

test('410 at the dial: the room is gone, 0', async () => {
  gateway.refuseWith = 410;
  expect(await start([agentFile('agent.mjs')]).exit).toBe(0);
});

test('401 at the dial: 75', async () => {
  gateway.refuseWith = 401;
  expect(await start([agentFile('agent.mjs')]).exit).toBe(75);
});

test('503 at the dial is tried again', async () => {
  gateway.refuseWith = 503;
  const runner = start([agentFile('agent.mjs')]);
  await waitFor('two refusals', () => gateway.refused >= 2);
  gateway.refuseWith = null;
  const line = await gateway.line();
  expect(line.jobHeader).toBeNull();
  runner.kill('SIGTERM');
  expect(await runner.exit).toBe(143);
});

test('a JobTermination before any job: 0', async () => {
  const runner = await waiting();
  (await gateway.line()).terminate();
  expect(await runner.exit).toBe(0);
});

test('takes no job but its own, and nothing that it was not offered', async () => {
  const runner = await waiting();
  const line = await gateway.line();
  expect(await line.offer(ROOM, 'AJ_another')).toBe(false);
  expect(await line.offer({ ...ROOM, room: { sid: '', name: 'room' } })).toBe(false);
  line.assign(ROOM);
  line.sendRaw('text');
  line.sendRaw(new Uint8Array([255, 255, 255]));
  // Answered after all of the above was read.
  expect(await line.offer(ROOM)).toBe(true);
  expect(runner.output()).not.toContain('TYPE');
  runner.kill('SIGTERM');
  expect(await runner.exit).toBe(143);
});
