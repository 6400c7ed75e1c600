/**
 * Agents that cannot work, on a running launcher and the real LiveKit server: what `/api/rooms` and
 * the logs say, and how often it is tried.
 */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { type Bed, startBed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { agentFile as fixture } from '../support/runner.ts';
import { launches, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const FAILED_DEADLINE_MS = 20_000;

const reExport = (name: string) => `export default (await import('${fixture(name)}')).default;\n`;

describeWithLiveKit('an agent', () => {
  const cleanup = new Cleanup();
  let agent: string;
  let bed: Bed;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bad-agent-'));
    cleanup.defer(() => rm(folder, { recursive: true }));
    agent = join(folder, 'agent.mjs');
    await writeFile(agent, reExport('no-agent.mjs'));
    bed = await startBed(cleanup, {
      env: { LAUNCHER_AGENT_FILE: agent, LAUNCHER_RETRIES: '1' },
    });
  });
  afterAll(() => cleanup.run());

  /** A room's failed run, and the room gone again. */
  async function failedRun(name: string, metadata = '') {
    const { sid } = await bed.rooms.createRoom({ name, metadata });
    const failed = async () => {
      const row = (await bed.launcher.rooms()).find((room) => room.sid === sid);
      return row?.state === 'failed' ? row : null;
    };
    const row = await waitFor('the failed run', failed, FAILED_DEADLINE_MS);
    const tasks = (await bed.launcher.tasks()).filter((task) => task.sid === sid);
    const said = bed.launcher.lines().filter(({ event, fields }) => {
      return event === 'run.fail' && fields['sid'] === sid;
    });
    expect(said).toMatchObject([{ level: 'warn', fields: { reason: row.reason } }]);
    expect(bed.launcher.output()).not.toContain(name);
    await bed.rooms.deleteRoom(name);
    return { row, tasks, logOf: (attempt: number) => bed.launcher.taskLog(`r-${sid}-${attempt}`) };
  }

  const logFile = (key: string | null) => join(bed.launcher.taskFolder(key ?? ''), 'log');

  test('without a default agent fails its run at once; the reason leads to the log', async () => {
    const { row, tasks, logOf } = await failedRun('nobody-of-no-agent');
    expect(tasks).toMatchObject([{ phase: 'ended', exitCode: 64, verdict: 'fatal' }]);
    expect(row).toMatchObject({
      attempts: 1,
      reason:
        'the agent file or a setting of the task is wrong (exit 64): ' +
        `its log is ${logFile(row.task)}`,
    });
    expect(await logOf(1)).toContain(
      `Agent file \\"${agent}\\" has no agent as its default export`,
    );
  });

  test.each([
    ['at import', 'throws-at-import.mjs', '', 'agent file failed at import', 'import went wrong'],
    ['in prewarm', 'throws-in-prewarm.mjs', '', 'prewarm failed', 'prewarm went wrong'],
    ['in entry', 'agent.mjs', 'throw-before-joining', 'entry failed', 'entry went wrong'],
  ])('that throws %s is tried again, then its run fails', async (where, file, act, step, error) => {
    await writeFile(agent, reExport(file));
    const metadata = JSON.stringify({ 'room-launcher': { metadata: act } });
    const { row, tasks, logOf } = await failedRun(`nobody-of-${where}`, metadata);
    expect(tasks.map(({ exitCode, verdict }) => ({ exitCode, verdict }))).toEqual([
      { exitCode: 1, verdict: 'failed' },
      { exitCode: 1, verdict: 'failed' },
    ]);
    expect(row).toMatchObject({
      attempts: 2,
      reason: `2 of 2 attempts failed: agent code failed (exit 1): its log is ${logFile(row.task)}`,
    });
    for (const attempt of [1, 2]) {
      const log = await logOf(attempt);
      expect(log).toContain(step);
      expect(log).toContain(error);
      expect(log).toContain(`${file}:`);
    }
  });

  test('whose file has vanished is not launched; put back, it serves the next room', async () => {
    await rm(agent);
    const before = launches(bed.launcher).length;
    const { row, tasks } = await failedRun('nobody-of-no-file');
    expect(row.reason).toBe(
      `launch refused: agent file ${agent} is not there or no file: correct its path`,
    );
    expect(tasks).toEqual([]);
    expect(launches(bed.launcher).length - before).toBe(1);
    expect(await readdir(bed.launcher.stateDir)).not.toContain(`r-${row.sid}-1`);

    await writeFile(agent, reExport('example'));
    await bed.rooms.createRoom({ name: 'good' });
    await served(bed, 'good');
  });
});
