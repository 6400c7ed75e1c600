/** A room's trace in a real collector: the launcher's spans and its agent's, as processes. */
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cleanup } from '../support/cleanup.ts';
import {
  breaches,
  type Collector,
  type ReceivedSpan,
  startCollector,
} from '../support/collector.ts';
import { type Bed, startBed } from '../support/launcher.ts';
import { describeWith } from '../support/left-out.ts';
import { ended, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';
import { attempts, oneTrace, ROOM, tracedEnv } from './traces.suite.ts';

const AGENT = fileURLToPath(new URL('../fixtures/traced-agent.mjs', import.meta.url));

describeWith('livekit', 'collector')('traces', () => {
  const cleanup = new Cleanup();
  let collector: Collector;

  beforeEach(async () => {
    collector = cleanup.use(await startCollector());
  }, 300_000);
  afterEach(() => cleanup.run());

  const bedWith = async (more = {}) => {
    const env = { ...(await tracedEnv(cleanup, collector)), LAUNCHER_AGENT_FILE: AGENT, ...more };
    return startBed(cleanup, { env });
  };

  test('a room is one trace, from its webhook to the end, with the spans of its agent', async () => {
    await oneTrace(await bedWith(), collector);
  });

  test('a launcher that was killed is followed by one that ends the same trace', async () => {
    const bed = await bedWith();
    await bed.rooms.createRoom({ name: ROOM });
    const { key } = await served(bed, ROOM);
    await bed.launcher.end('SIGKILL');
    await bed.launcher.restart();
    await bed.rooms.deleteRoom(ROOM);
    await ended(bed.launcher, key);
    const [root] = await attempts(collector, 1);
    expect(root?.attributes).toMatchObject({ 'room_launcher.resumed': true });
    const spans = collector.spans();
    expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
    // The engine made the task while the call that asked for it was under way.
    expect(breaches(spans).filter((one) => !one.startsWith('launch: starts before'))).toEqual([]);
  });

  test('a standby waits in a trace of its own, to which its attempt links', async () => {
    const bed = await bedWith({ LAUNCHER_STANDBY: '1' });
    await waitFor('the standby', () => bed.launcher.events('standby.ready').length > 0);
    await bed.rooms.createRoom({ name: ROOM });
    const { key } = await served(bed, ROOM);
    expect(key).toMatch(/^s-/);
    await seenActive(bed);
    await bed.rooms.deleteRoom(ROOM);
    await ended(bed.launcher, key);
    const [attempt] = await attempts(collector, 1);
    const spans = collector
      .spans()
      .filter(
        ({ attributes }) =>
          attributes['room_launcher.task'] === key ||
          attributes['room_launcher.task'] === undefined,
      );
    const standby = spans.find(({ name }) => name === 'standby');
    expect(breaches(spans)).toEqual([]);
    expect(attempt?.links).toMatchObject([{ spanId: standby?.spanId }]);
    const below = (root?: ReceivedSpan) =>
      spans.filter(({ parentSpanId }) => parentSpanId === root?.spanId).map(({ name }) => name);
    expect(below(standby).toSorted()).toEqual(['launch', 'start']);
    expect(below(attempt).toSorted()).toEqual([
      'assign',
      'ending',
      'job_entrypoint',
      'join',
      'serve',
    ]);
  });

  test('an attempt that fails says why, and the one after it links to it', async () => {
    const bed = await bedWith({ LAUNCHER_RETRIES: '1' });
    const metadata = JSON.stringify({ 'room-launcher': { metadata: 'fail' } });
    await bed.rooms.createRoom({ name: ROOM, metadata });
    const [first, second] = await attempts(collector, 2);
    expect(breaches(collector.spans())).toEqual([]);
    for (const root of [first, second]) {
      expect(root).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'failed' } });
      expect(root?.status.message).not.toBe('');
    }
    expect(first?.links).toEqual([]);
    expect(second?.links).toMatchObject([{ traceId: first?.traceId, spanId: first?.spanId }]);
    expect(collector.text()).not.toContain(ROOM);
  });

  test('ends at once, with every span sent', async () => {
    const bed = await bedWith({ OTEL_BSP_SCHEDULE_DELAY: '600000' });
    await bed.rooms.createRoom({ name: ROOM });
    await served(bed, ROOM);
    await seenActive(bed);
    expect(collector.spans()).toEqual([]);
    await bed.launcher.end('SIGTERM');
    expect(collector.spans().map(({ name }) => name)).toEqual(
      expect.arrayContaining(['launch', 'start', 'assign', 'join']),
    );
  });
});

/** Waits until the launcher has seen the agent in the room, too. */
async function seenActive({ launcher }: Bed): Promise<void> {
  await waitFor('the agent to be seen', () => launcher.events('task.active').length > 0);
}
