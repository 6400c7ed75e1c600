/** The commands that ask a launcher, run as a user runs them: real launcher, server and tasks. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RoomRow, TaskRow } from '../../launcher/admin/ports.ts';
import type { EventData } from '../../launcher/cli/events.ts';
import { freeTcpPorts } from '../../launcher/dev/ports.ts';
import type { FirstPlan } from '../../launcher/reconcile/preview.ts';
import { Cleanup } from '../support/cleanup.ts';
import { type CommandEnd, followCommand, runCommand } from '../support/command.ts';
import { docCommand } from '../support/doc-commands.ts';
import { type Bed, startBed } from '../support/launcher.ts';
import { describeWithLiveKit } from '../support/livekit-server.ts';
import { ended, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

const INTERRUPTED = 130;

/** Exit code and words of a command that could not do it. */
async function refusal(end: Promise<CommandEnd>) {
  const { code, stdout, stderr } = await end;
  expect(stdout).toBe('');
  return [code, stderr];
}

describeWithLiveKit('commands that ask a launcher', () => {
  const cleanup = new Cleanup();
  const each = new Cleanup();
  let bed: Bed;
  let env: Record<string, string>;

  beforeAll(async () => {
    bed = await startBed(cleanup);
    // As a container has it; asked by the loopback address.
    env = { LAUNCHER_ADMIN_LISTEN: `0.0.0.0:${bed.launcher.ports.admin}` };
  });
  afterEach(() => each.run());
  afterAll(() => cleanup.run());

  const run = (line: string, more = {}) => runCommand(line.split(' '), { ...env, ...more });
  const follow = (line: string) => each.use(followCommand(line.split(' '), env));
  const done = { code: 0, stderr: '', leftState: false };

  test('an empty launcher says what that means', async () => {
    expect(await run('rooms')).toEqual({
      ...done,
      stdout: '',
      stderr: 'No room is live, and none that is over has a task left.\n',
    });
    expect(await run('tasks')).toMatchObject({ stdout: '', stderr: /no task of this deployment/ });
    expect(await run('rooms --json')).toEqual({ ...done, stdout: '[]\n' });
  });

  test('rooms and tasks are tables, and JSON for programs', async () => {
    await bed.rooms.createRoom({ name: 'lobby' });
    const { key, sid } = await served(bed, 'lobby');
    const rooms = await run('rooms');
    expect(rooms).toMatchObject(done);
    expect(rooms.stdout).toMatch(/^NAME +STATE +PROFILE +TASK +ATTEMPTS +AGE +REASON\n/);
    expect(rooms.stdout).toMatch(
      new RegExp(`\\nlobby +serving +default +${key} +1 +\\d+s +its agent is in the room\\n$`),
    );
    expect((await run('rooms --wide')).stdout).toContain(`\n${sid}  lobby`);
    const [room] = JSON.parse((await run('rooms --json')).stdout) as RoomRow[];
    expect(room).toMatchObject({ name: 'lobby', sid, state: 'serving', task: key });
    const tasks = await run('tasks');
    expect(tasks.stdout).toMatch(new RegExp(`\\n${key} +running +lobby +1 +\\d+s +\\d+s +- +-\\n`));
    const [task] = JSON.parse((await run('tasks --json')).stdout) as TaskRow[];
    expect(task).toMatchObject({ key, sid, phase: 'running' });
    const { admin } = bed.launcher.ports;
    expect((await runCommand(['rooms', '--admin', `127.0.0.1:${admin}`])).stdout).toContain(key);
    await bed.rooms.deleteRoom('lobby');
    await ended(bed.launcher, key);
  });

  test('logs show what a task wrote, and follow it to its end; stop says what it did', async () => {
    await bed.rooms.createRoom({ name: 'talk' });
    const { key, sid } = await served(bed, 'talk');
    const all = await run('logs talk');
    expect(all).toMatchObject(done);
    expect(all.stdout).toContain('runner.started');
    expect((await run(`logs ${sid} --tail 1`)).stdout.trim().split('\n')).toHaveLength(1);
    const followed = follow(`logs ${key} -f`);
    await waitFor('the first lines', () => followed.stdout().includes('runner.started'));
    const stopped = await run('stop talk --wait');
    expect(stopped).toEqual({
      ...done,
      stdout:
        `Room "talk" (${sid}): ${key} is being ended, ` +
        'and nothing more is launched for it until it is over.\nIt has ended.\n',
    });
    expect(await followed.ended).toBe(0);
    expect(followed.stderr()).toBe(
      `room-launcher: task ${key} has ended, exit code 0; served: stopped by an operator\n`,
    );
    // Its end is kept, and what it wrote.
    expect((await run(`logs ${key}`)).stdout).toContain('runner.started');
    expect((await run('stop talk')).stdout).toContain('has nothing to stop');
    const again = JSON.parse((await run(`stop ${key} --json`)).stdout) as object;
    expect(again).toEqual({ answer: 'nothing-to-stop', room: { sid, name: 'talk' }, tasks: [] });
    await bed.rooms.deleteRoom('talk');
  });

  test('docs/operating.md begins with commands that show it all', async () => {
    const block = await docCommand(
      'operating.md',
      'Operating',
      'room-launcher events --event task.end',
    );
    const lines = block
      .trim()
      .split('\n')
      .map((line) => line.replace(/ +#.*/, ''));
    const [rooms, tasks, events, logs, doctor] = lines.map((line) =>
      line.replace('room-launcher ', '').replace('lobby', 'asked'),
    ) as [string, string, string, string, string];
    await bed.rooms.createRoom({ name: 'asked' });
    const { key } = await served(bed, 'asked');
    expect((await run(rooms)).stdout).toMatch(/\nasked +serving /);
    expect((await run(tasks)).stdout).toContain(`\n${key} `);
    expect((await run(logs)).stdout).toContain('runner.started');
    const settings = { ...serverSettings(), LAUNCHER_DRIVER: 'process' };
    expect((await run(doctor, settings)).stdout).toMatch(/\nok +livekit +/);
    const followed = follow(events);
    await bed.rooms.deleteRoom('asked');
    await waitFor('its end', () => followed.stdout().includes(`  ${key}  `));
    expect(await followed.end('SIGINT')).toBe(INTERRUPTED);
  });

  test('followed output ends with the user’s Ctrl-C, and the task goes on', async () => {
    await bed.rooms.createRoom({ name: 'calm' });
    const { key } = await served(bed, 'calm');
    const followed = follow('logs calm --follow');
    await waitFor('the first lines', () => followed.stdout() !== '');
    expect(await followed.end('SIGINT')).toBe(INTERRUPTED);
    expect(followed.stderr()).toBe('');
    expect((await served(bed, 'calm')).key).toBe(key);
    await bed.rooms.deleteRoom('calm');
    await ended(bed.launcher, key);
  });

  test('events go on over a restart of the launcher, and none comes twice', async () => {
    const people = follow('events --room life');
    const programs = follow('events --event task.launch --event task.end --json');
    const lines = () =>
      programs
        .stdout()
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as EventData);
    await bed.rooms.createRoom({ name: 'life' });
    const { key, sid } = await served(bed, 'life');
    await waitFor('its launch', () => lines().some(({ task }) => task === key));
    await waitFor('it for people', () => people.stdout().includes(`task.active      life  ${key}`));
    await bed.launcher.end('SIGTERM');
    await waitFor('the loss', () => programs.stderr().includes('is away; waiting for it'));
    await bed.launcher.restart();
    await waitFor('the return', () => programs.stderr().includes('the launcher is back'));
    await bed.rooms.deleteRoom('life');
    await waitFor('its end', () =>
      lines().some(({ task, event }) => task === key && event === 'task.end'),
    );
    expect(lines().filter(({ task, event }) => task === key && event === 'task.launch')).toEqual([
      expect.objectContaining({ sid, room: 'life', outcome: 'accepted' }),
    ]);
    expect(people.stdout()).not.toContain('calm');
    expect(await people.end('SIGINT')).toBe(INTERRUPTED);
    expect(await programs.end('SIGTERM')).toBe(INTERRUPTED);
  });

  test('a reader that goes (| head) ends the command without a word', async () => {
    const { admin } = bed.launcher.ports;
    const command = followCommand(['events', '--debug', '--admin', `127.0.0.1:${admin}`]);
    each.use(command);
    command.closeStdout();
    await command.ended;
    expect(command.stderr()).toBe('');
  });

  test('a first plan is printed, and nothing is done', async () => {
    await bed.rooms.createRoom({ name: 'planned' });
    const { key } = await served(bed, 'planned');
    const before = await bed.launcher.tasks();
    const state = { XDG_STATE_HOME: bed.launcher.stateDir.replace(/\/room-launcher\/.*/, '') };
    const settings = {
      ...serverSettings(),
      LAUNCHER_DRIVER: 'process',
      LAUNCHER_DEPLOYMENT: 'test',
      LAUNCHER_STANDBY: '1',
      // The launcher holds all three: a dry run opens none.
      LAUNCHER_GATEWAY_LISTEN: `127.0.0.1:${bed.launcher.ports.gateway}`,
      ...state,
    };
    const same = await run('serve --dry-run', settings);
    expect(same.code).toBe(0);
    expect(same.stdout).toMatch(
      /\nplanned +default +nothing +- +serving: its agent is in the room\n/,
    );
    expect(same.stdout).toMatch(/\n\(standby\) +- +launch +s-default-0-\d{8} +1 of 1 standbys/);
    expect(same.stdout).toMatch(/The launcher would launch 1\. Nothing was done\.\n$/);
    // The room's agent is another launcher's: in its place nothing would be launched.
    const other = await run('serve --dry-run --json', { ...settings, LAUNCHER_DEPLOYMENT: 'new' });
    const plan = JSON.parse(other.stdout) as FirstPlan;
    expect(plan).toMatchObject({ tasks: 0, rooms: [{ name: 'planned', actions: [] }] });
    await bed.rooms.deleteRoom('planned');
    await ended(bed.launcher, key);
    await bed.launcher.end('SIGTERM');
    await bed.rooms.createRoom({ name: 'unserved' });
    const due = JSON.parse((await run('serve --dry-run --json', settings)).stdout) as FirstPlan;
    const unserved = due.rooms.find(({ name }) => name === 'unserved');
    expect(unserved).toMatchObject({
      state: 'launching',
      actions: [{ do: 'launch', task: `r-${unserved?.sid}-1` }],
    });
    const kept = await readdir(bed.launcher.stateDir);
    const tasks = kept.filter((name) => !name.startsWith('.'));
    expect(new Set(tasks)).toEqual(new Set(before.map((task) => task.key)));
    await bed.rooms.deleteRoom('unserved');
    await bed.launcher.restart();
  });

  test('a dry run tells settings that are wrong from a server that is away', async () => {
    const settings = { ...serverSettings(), LAUNCHER_DRIVER: 'process' };
    const wrong = await run('serve --dry-run', { ...settings, LIVEKIT_API_SECRET: 'x'.repeat(36) });
    expect(wrong).toMatchObject({ code: 64, stdout: '' });
    const away = await run('serve --dry-run', { ...settings, LIVEKIT_URL: 'ws://127.0.0.1:9' });
    expect(away).toMatchObject({ code: 1, stdout: '' });
    expect(away.stderr).toContain('room-launcher: LiveKit did not answer: ');
  });

  test('what a word does not mean, and who does not answer, is said with the next step', async () => {
    expect(await refusal(run('stop nowhere'))).toEqual([
      1,
      'room-launcher: there is no room or task "nowhere"; ' +
        'room-launcher rooms and room-launcher tasks show what there is\n',
    ]);
    const [free = 0] = await freeTcpPorts(1);
    const at = `127.0.0.1:${free}`;
    expect(await refusal(run('rooms', { LAUNCHER_ADMIN_LISTEN: at }))).toEqual([
      1,
      `room-launcher: no launcher answers at http://${at} (connect ECONNREFUSED ${at}); ` +
        'start one with room-launcher serve, ' +
        'or name its admin address with --admin or LAUNCHER_ADMIN_LISTEN\n',
    ]);
    expect(await refusal(run('rooms', { LAUNCHER_ADMIN_LISTEN: 'nonsense' }))).toEqual([
      64,
      expect.stringMatching(/^room-launcher: LAUNCHER_ADMIN_LISTEN is "nonsense", but must be/),
    ]);
    const web = createServer((_request, response) => response.end('<html>'));
    each.defer(() => void web.close());
    web.listen(0, '127.0.0.1');
    await once(web, 'listening');
    const address = web.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    expect(await refusal(run(`tasks --admin 127.0.0.1:${port}`))).toEqual([
      1,
      `room-launcher: what answers at http://127.0.0.1:${port} is no launcher; ` +
        'name its admin address with --admin or LAUNCHER_ADMIN_LISTEN\n',
    ]);
  });

  function serverSettings() {
    const { url, apiKey, apiSecret } = bed.server;
    return { LIVEKIT_URL: url, LIVEKIT_API_KEY: apiKey, LIVEKIT_API_SECRET: apiSecret.reveal() };
  }
});
