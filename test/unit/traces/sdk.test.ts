import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../../launcher/lib/clock.ts';
import { Outage } from '../../../launcher/lib/outage.ts';
import { StartUps } from '../../../launcher/telemetry/start-ups.ts';
import { openTraces, tracesWanted } from '../../../launcher/telemetry/traces.ts';
import { attemptTrace, traceparentOf } from '../../../launcher/telemetry/traces-ids.ts';
import { createSpanWriter } from '../../../launcher/telemetry/traces-sdk.ts';
import { RecordedLog } from '../../fakes/log.ts';

const IDS = attemptTrace('us', 'r-RM_1-1', 'RM_1');
const TIMES = { startMs: 1_000, endMs: 2_000, attributes: { a: 1, b: undefined, c: null } };

function writer() {
  const exporter = new InMemorySpanExporter();
  const outage = new Outage('traces', systemClock, new RecordedLog());
  return { exporter, ...createSpanWriter({ deployment: 'us', outage, exporter }) };
}

afterEach(() => vi.unstubAllEnvs());

test('a root has the ids that were worked out, its children have it as their parent', async () => {
  const { exporter, write, flush } = writer();
  write({ trace: IDS, name: 'launch', root: false, ...TIMES, error: 'refused' });
  const link = attemptTrace('us', 'r-RM_1-0', 'RM_1');
  write({ trace: IDS, name: 'attempt', root: true, ...TIMES, links: [link] });
  await flush();
  const [child, root, ...more] = exporter.getFinishedSpans();
  expect(more).toEqual([]);
  expect(root?.spanContext()).toMatchObject(IDS);
  expect(root?.parentSpanContext).toBeUndefined();
  expect(root?.links.map(({ context }) => context.traceId)).toEqual([link.traceId]);
  expect(root).toMatchObject({ startTime: [1, 0], endTime: [2, 0], attributes: { a: 1 } });
  expect(child?.spanContext().traceId).toBe(IDS.traceId);
  expect(child?.spanContext().spanId).not.toBe(IDS.spanId);
  expect(child?.parentSpanContext?.spanId).toBe(IDS.spanId);
  expect(child?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'refused' });
  expect(child?.resource.attributes).toMatchObject({
    'service.name': 'room-launcher',
    'room_launcher.deployment': 'us',
  });
});

test('ids are valid and differ by deployment, task and room', () => {
  const all = [
    IDS,
    attemptTrace('eu', 'r-RM_1-1', 'RM_1'),
    attemptTrace('us', 'r-RM_1-2', 'RM_1'),
    attemptTrace('us', 'r-RM_1-1', 'RM_2'),
  ];
  expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(4);
  expect(attemptTrace('us', 'r-RM_1-1', 'RM_1')).toEqual(IDS);
  expect(traceparentOf(IDS, true)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test('a trace that the sampler drops is dropped whole, and its context says so', async () => {
  vi.stubEnv('OTEL_TRACES_SAMPLER', 'parentbased_traceidratio');
  vi.stubEnv('OTEL_TRACES_SAMPLER_ARG', '0.5');
  const { exporter, write, sampled, flush } = writer();
  const all = Array.from({ length: 200 }, (_, i) => attemptTrace('us', `r-RM_${i}-1`, `RM_${i}`));
  for (const trace of all) {
    write({ trace, name: 'launch', root: false, ...TIMES });
    write({ trace, name: 'attempt', root: true, ...TIMES });
  }
  await flush();
  const kept = all.filter((trace) => sampled(trace));
  expect(kept.length).toBeGreaterThan(50);
  expect(kept.length).toBeLessThan(150);
  const sent = exporter.getFinishedSpans().map((span) => span.spanContext().traceId);
  expect(sent).toEqual(kept.flatMap(({ traceId }) => [traceId, traceId]));
});

test('the environment names service and resource', async () => {
  vi.stubEnv('OTEL_SERVICE_NAME', 'ours');
  vi.stubEnv('OTEL_RESOURCE_ATTRIBUTES', 'deployment.environment.name=staging');
  const { exporter, write, flush } = writer();
  write({ trace: IDS, name: 'attempt', root: true, ...TIMES });
  await flush();
  expect(exporter.getFinishedSpans()[0]?.resource.attributes).toMatchObject({
    'service.name': 'ours',
    'deployment.environment.name': 'staging',
  });
});

test('a receiver that refuses is said once, without what the headers hold, and delays no end', async () => {
  let status = 401;
  const requests: (string | undefined)[] = [];
  const server = createServer((request, answer) => {
    requests.push(request.headers['authorization']);
    request.resume().on('end', () => answer.writeHead(status).end(request.headers.authorization));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', endpoint);
  vi.stubEnv('OTEL_EXPORTER_OTLP_HEADERS', 'authorization=Bearer%20s3cr3t');
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '1');
  const log = new RecordedLog();
  const startUps = new StartUps();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint };
  const traces = await openTraces({ env, deployment: 'us', startUps, clock: systemClock, log });
  const launch = (task: string) => {
    const fields = { task, sid: 'RM_1', attempt: 1, outcome: 'accepted', took_ms: 1 };
    traces?.listener({ atMs: 1_000, event: 'task.launch', level: 'info', fields });
  };
  const warnings = () => log.lines.filter(({ level }) => level === 'warn');
  launch('r-RM_1-1');
  await vi.waitFor(() => expect(warnings()).toHaveLength(1));
  launch('r-RM_1-2');
  await vi.waitFor(() => expect(requests).toHaveLength(2));
  await traces?.close();
  status = 200;
  launch('r-RM_1-3');
  await vi.waitFor(() => expect(log.lines.at(-1)).toMatchObject({ level: 'info' }));
  expect(warnings()).toMatchObject([{ fields: { reason: 'the receiver answers 401' } }]);
  expect(requests[0]).toBe('Bearer s3cr3t');
  expect(JSON.stringify(log.lines)).not.toContain('s3cr3t');
  await new Promise((resolve) => server.close(resolve).closeAllConnections());
});

test.each([
  [{}, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318' }, true],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://otel/v1/traces' }, true],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318', OTEL_SDK_DISABLED: 'TRUE' }, false],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318', OTEL_TRACES_EXPORTER: 'none' }, false],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4318', OTEL_TRACES_EXPORTER: 'zipkin' },
    { problem: 'OTEL_TRACES_EXPORTER is "zipkin": set otlp, or none' },
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    { problem: 'OTEL_EXPORTER_OTLP_PROTOCOL is "grpc": only http/protobuf is spoken' },
  ],
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'otel:4318' },
    { problem: 'OTEL_EXPORTER_OTLP_ENDPOINT is no URL that begins with http:// or https://' },
  ],
])('%o: %o', (env, wanted) => expect(tracesWanted(env)).toEqual(wanted));
