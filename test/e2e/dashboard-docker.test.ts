/** The dashboard over tasks in containers: what they use, as the engine counts it, and their logs. */
import { afterEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import { browserFor, look } from '../support/dashboard.ts';
import { containerOf, startDockerBed } from '../support/docker-bed.ts';
import { docker } from '../support/docker-engine.ts';
import { describeWith } from '../support/left-out.ts';
import { served } from '../support/served.ts';

describeWith(
  'livekit',
  'docker',
  'chromium',
)('the dashboard with containers', () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  test('a container shows what it uses, and what it prints', async () => {
    const bed = await startDockerBed(cleanup);
    const browser = await browserFor(cleanup);
    await bed.rooms.createRoom({ name: 'tutoring' });
    const { sid, key } = await served(bed, 'tutoring');
    const url = `http://127.0.0.1:${bed.launcher.ports.admin}`;
    const { row } = await look(cleanup, browser, url);
    await row('tasks', key).locator('[data-cpu]', { hasText: /\d %/ }).waitFor();
    const shown = row('tasks', key).locator('[data-memory]', { hasText: /\d+ MiB/ });
    const mib = Number((await shown.textContent())?.split(' ')[0]);
    const { Id } = await containerOf(bed, key);
    const { memory_stats: counted } = await docker.getContainer(Id).stats({ stream: false });
    expect(mib).toBeGreaterThan(20);
    expect(mib).toBeLessThanOrEqual(counted.limit / 2 ** 20);

    const room = await look(cleanup, browser, `${url}/rooms/${sid}`);
    const output = await docker.getContainer(Id).logs({ stdout: true, stderr: true });
    const [, first = ''] = /"msg":"([^"]+)"/.exec(output.toString()) ?? [];
    expect(first).not.toBe('');
    await room.page.getByRole('log').getByText(first).waitFor();
  }, 120_000);
});
