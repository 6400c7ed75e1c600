/** What of a room reaches the collector, whatever engine its task runs on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Cleanup } from '../support/cleanup.ts';
import { breaches, type Collector, type ReceivedSpan } from '../support/collector.ts';
import type { Bed } from '../support/launcher.ts';
import { ended, served } from '../support/served.ts';
import { waitFor } from '../support/wait.ts';

export const ROOM = 'consultation-of-jane-doe';
const SECRET = 'of-the-receiver';
/** Two cores that several tasks share need their time. */
const TOLD_DEADLINE_MS = 30_000;

/** Settings of a launcher whose traces, and its agents', go to this collector. */
export async function tracedEnv(cleanup: Cleanup, { endpoint }: Collector) {
  const folder = await mkdtemp(join(tmpdir(), 'traced-'));
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  const envFile = join(folder, 'agent.env');
  await writeFile(envFile, `OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}\n`);
  return {
    LAUNCHER_AGENT_ENV_FILE: envFile,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${SECRET}`,
    OTEL_BSP_SCHEDULE_DELAY: '100',
  };
}

/** Waits until the collector has as many finished attempts. */
export function attempts({ spans }: Collector, count: number): Promise<ReceivedSpan[]> {
  const enough = () => {
    const roots = spans().filter(({ name }) => name === 'attempt');
    return roots.length >= count ? roots : null;
  };
  return waitFor(`${count} attempts to be told`, enough, TOLD_DEADLINE_MS);
}

/** One room from its creation to its task's end, and its whole trace. */
export async function oneTrace(bed: Bed, collector: Collector): Promise<void> {
  const { rooms, launcher } = bed;
  await rooms.createRoom({ name: ROOM });
  const { sid, key, agent } = await served(bed, ROOM);
  // Told while the call goes on.
  await waitFor('the start to be told', () => {
    const told = collector.spans().map(({ name }) => name);
    if (!START.every((name) => told.includes(name))) throw new Error(`told: ${told.join()}`);
    return true;
  });
  await rooms.deleteRoom(ROOM);
  await ended(launcher, key);
  const [root, ...more] = await attempts(collector, 1);
  expect(more).toEqual([]);
  const spans = collector.spans();
  const named = (name: string) => spans.find((span) => span.name === name);
  expect(spans.map(({ name }) => name).toSorted()).toEqual([
    'agent.greet',
    'assign',
    'attempt',
    'ending',
    'job_entrypoint',
    'join',
    'launch',
    'serve',
    'start',
  ]);
  expect(breaches(spans)).toEqual([]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(root).toMatchObject({ parentSpanId: '', service: 'room-launcher', status: { code: 0 } });
  expect(root?.attributes).toMatchObject({
    'room_launcher.task': key,
    'room_launcher.sid': sid,
    'room_launcher.attempt': '1',
    'room_launcher.profile': 'default',
    'room_launcher.verdict': 'served',
  });
  expect(named('job_entrypoint')?.parentSpanId).toBe(root?.spanId);
  expect(named('agent.greet')?.parentSpanId).toBe(named('job_entrypoint')?.spanId);
  expect(agent.attributes['room-launcher.traceparent']).toBe(
    `00-${root?.traceId}-${root?.spanId}-01`,
  );
  const nano = (name: string) => named(name)?.startTimeUnixNano ?? 0n;
  const order = ['attempt', 'launch', 'start', 'assign', 'join', 'serve', 'ending'];
  expect(order.toSorted((a, b) => Number(nano(a) - nano(b)))).toEqual(order);
  expect(collector.text()).not.toContain(ROOM);
  expect(launcher.output()).not.toContain(SECRET);
}

const START = ['launch', 'start', 'assign', 'join'];
