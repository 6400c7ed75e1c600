/**
 * A real Prometheus scrapes a real launcher that serves rooms of a real LiveKit server: its queries
 * give what happened, the rules of ops/ load and see the launcher go, the dashboard's queries work.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { samplesOf } from '../support/exposition.ts';
import { type Bed, startBed } from '../support/launcher.ts';
import { describeWith } from '../support/left-out.ts';
import { TestPrometheus } from '../support/prometheus.ts';
import { dashboardQueries, promtool, readRules } from '../support/promtool.ts';
import { ended, launches, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

/** Without a room nothing looks at LiveKit before the next resync. */
const FULL_PASS_DEADLINE_MS = 40_000;
const NAMES = ['a room called Ada', 'a room called Bob'];

describeWith('livekit', 'prometheus')('metrics in Prometheus', () => {
  const cleanup = new Cleanup();
  let bed: Bed;
  let prometheus: TestPrometheus;
  let sids: string[];

  beforeAll(async () => {
    bed = await startBed(cleanup, { env: { LAUNCHER_STANDBY: '1' } });
    prometheus = await TestPrometheus.start(cleanup, `127.0.0.1:${bed.launcher.ports.admin}`);
    await prometheus.shows('sum(room_launcher_standbys_ready)', 1);
    sids = [];
    for (const name of NAMES) {
      await bed.rooms.createRoom({ name });
      sids.push((await served(bed, name)).sid);
    }
  }, 90_000);
  afterAll(() => cleanup.run());

  test('two rooms are served: queries give the numbers that they should', async () => {
    const { launcher } = bed;
    await prometheus.shows('sum(room_launcher_rooms{state="serving"})', 2);
    await prometheus.shows('sum(room_launcher_rooms)', 2);
    await prometheus.shows('sum(room_launcher_gateway_sockets{state="assigned"})', 2);
    await prometheus.shows('sum(room_launcher_start_duration_seconds_count)', 2);
    await prometheus.shows('room_launcher_rooms_found_total{by="webhook"}', 2);
    await prometheus.shows('sum(room_launcher_assignments_total{outcome="assigned"})', 2);
    await prometheus.shows('sum(room_launcher_runs_failed_total)', 0);
    await prometheus.shows('room_launcher_standbys_ready', 1);
    await prometheus.shows('max(room_launcher_longest_unserved_seconds)', 0);
    await prometheus.shows('min(room_launcher_dependency_up)', 1);
    await prometheus.shows('instance:room_launcher_rooms_served:ratio', 1);
    const asked = launches(launcher).length;
    await prometheus.shows('sum(room_launcher_launches_total{outcome="accepted"})', asked);
    const launchCalls = 'sum(room_launcher_engine_call_duration_seconds_count{verb="launch"})';
    await prometheus.shows(launchCalls, asked);

    // The first room found a standby waiting; its whole way is quicker than a start.
    const [first] = await prometheus.query('room_launcher_start_duration_seconds_sum');
    expect(first?.labels).toMatchObject({ job: 'room-launcher', profile: 'default' });
    const byStandby = 'room_launcher_start_duration_seconds_count{start="standby"}';
    expect((await prometheus.query(byStandby))[0]?.value).toBeGreaterThanOrEqual(1);
    const steps = await prometheus.query(
      'sum by (step) (room_launcher_start_step_duration_seconds_count{start="standby"}) > 0',
    );
    expect(steps.map(({ labels }) => String(labels['step'])).toSorted()).toEqual([
      'accepted_to_registered',
      'assigned_to_active',
      'launch_to_accepted',
      'webhook_to_assigned',
    ]);
  });

  test('the exposition is well-formed and tells of no room', async () => {
    const answer = await bed.launcher.admin('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    expect(await promtool(['check', 'metrics'], text)).toEqual({ code: 0, output: '' });
    for (const secret of [...NAMES, ...sids, 'RM_', 'agent-']) expect(text).not.toContain(secret);
    expect(samplesOf(text).size).toBeLessThan(1_000);
  });

  test('the rules of ops/ are loaded and evaluated, and nothing is wrong', async () => {
    const rules = await waitFor('all rules to be evaluated', async () => {
      const all = await prometheus.rules();
      return all.every(({ health }) => health === 'ok') ? all : null;
    });
    expect(rules.map(({ name }) => name)).toEqual(
      readRules().map(({ alert, record }) => alert ?? record),
    );
    const states = rules.flatMap(({ name, state }) => (state ? [`${name} ${state}`] : []));
    expect(states.filter((state) => !state.endsWith(' inactive'))).toEqual([]);
  });

  test("each of the dashboard's queries gives something, or nothing is wrong", async () => {
    const silent: string[] = [];
    for (const expr of dashboardQueries()) {
      if ((await prometheus.query(expr)).length === 0) silent.push(expr);
    }
    // A damaged task, a restart.
    expect(silent.map((expr) => /damaged|changes/.exec(expr)?.[0])).toEqual(['damaged', 'changes']);
  });

  test('rooms end: it is seen', async () => {
    const { launcher, rooms } = bed;
    const keys = (await launcher.tasks()).flatMap(({ key, sid }) => (key && sid ? [key] : []));
    for (const name of NAMES) await rooms.deleteRoom(name);
    for (const key of keys) await ended(launcher, key);
    await prometheus.shows('sum(room_launcher_task_ends_total{verdict="served"})', 2);
    await prometheus.shows('sum(room_launcher_rooms)', 0);
  });

  test('LiveKit goes, and the launcher: it is seen', { timeout: 90_000 }, async () => {
    await bed.server.kill();
    const livekit = 'room_launcher_dependency_up{dependency="livekit"}';
    await prometheus.shows(livekit, 0, FULL_PASS_DEADLINE_MS);
    await prometheus.shows('room_launcher_dependency_up{dependency="engine"}', 1);
    await prometheus.alarms('RoomLauncherLiveKitUnreachable');
    await bed.launcher.end('SIGTERM');
    await prometheus.shows('up', 0);
    await prometheus.alarms('RoomLauncherDown');
  });
});
