/**
 * The OpenTelemetry collector for tests: the real receiver, which hands on what it takes in to this
 * process, as OTLP's JSON. It reads every span that reached it, and checks what must hold of all.
 */
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { z } from 'zod';
import { freeTcpPorts } from '../../launcher/dev/ports.ts';
import { type Child, startChild } from '../../launcher/dev/process.ts';
import { readLimited } from '../../launcher/lib/read-limited.ts';
import { findCollector } from '../otel-collector.mjs';
import { waitFor } from './wait.ts';

const READY_DEADLINE_MS = 20_000;
const BODY_MAX_BYTES = 10_000_000;

const ATTRIBUTES = z
  .array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) }))
  .default([])
  .transform((all) =>
    Object.fromEntries(all.map(({ key, value }) => [key, Object.values(value)[0]])),
  );
const SPAN = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().default(''),
  name: z.string(),
  startTimeUnixNano: z.coerce.bigint(),
  endTimeUnixNano: z.coerce.bigint(),
  attributes: ATTRIBUTES,
  links: z.array(z.object({ traceId: z.string(), spanId: z.string() })).default([]),
  status: z.object({ code: z.number().default(0), message: z.string().default('') }),
});
const EXPORT = z.object({
  resourceSpans: z.array(
    z.object({
      resource: z.object({ attributes: ATTRIBUTES }),
      scopeSpans: z.array(z.object({ spans: z.array(SPAN) })),
    }),
  ),
});

export type ReceivedSpan = z.infer<typeof SPAN> & { readonly service: unknown };

export interface Collector extends AsyncDisposable {
  /** What OTEL_EXPORTER_OTLP_ENDPOINT takes. */
  readonly endpoint: string;
  /** Every span that it took in so far. */
  readonly spans: () => ReceivedSpan[];
  /** All that it took in so far, as text. */
  readonly text: () => string;
}

/** `host`: the address that it listens on, and is reached by. */
export async function startCollector(host = '127.0.0.1'): Promise<Collector> {
  const env = process.env;
  const bin = await findCollector({ env, say: (line: string) => console.error(line) });
  const folder = await mkdtemp(join(tmpdir(), 'collector-'));
  const sink = await startSink();
  const [port = 0] = await freeTcpPorts(1);
  const endpoint = `http://${host}:${port}`;
  const file = join(folder, 'config.yaml');
  await writeFile(file, JSON.stringify(configOf(`${host}:${port}`, sink.url)));
  const child = await startLogging(bin, file, join(folder, 'log'));
  const dispose = async () => {
    await child.stop(5_000);
    await sink.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    // An empty export is a good one.
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
    const answers = () => fetch(`${endpoint}/v1/traces`, init).then(({ ok }) => ok);
    const settled = async () => child.hasEnded() || answers();
    await waitFor('the collector to answer', settled, READY_DEADLINE_MS);
    if (child.hasEnded()) throw new Error(await readFile(join(folder, 'log'), 'utf8'));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { endpoint, spans: sink.spans, text: sink.text, [Symbol.asyncDispose]: dispose };
}

/** What must hold of all spans, each breach in words: ids, parents, times, and links that lead somewhere. */
export function breaches(spans: readonly ReceivedSpan[]): string[] {
  const byId = new Map(spans.map((span) => [`${span.traceId}/${span.spanId}`, span]));
  const doubled = byId.size === spans.length ? [] : ['two spans have the same id'];
  return spans.reduce<string[]>((found, span) => {
    const { traceId, spanId, parentSpanId, name } = span;
    const parent = byId.get(`${traceId}/${parentSpanId}`);
    const says = (wrong: boolean, what: string) => wrong && found.push(`${name}: ${what}`);
    says(!/^(?!0*$)[0-9a-f]{32}$/.test(traceId), `trace id ${traceId}`);
    says(!/^(?!0*$)[0-9a-f]{16}$/.test(spanId), `span id ${spanId}`);
    says(span.endTimeUnixNano < span.startTimeUnixNano, 'ends before it starts');
    says(parentSpanId !== '' && parent === undefined, 'has a parent that is not there');
    says(
      parent !== undefined && span.startTimeUnixNano < parent.startTimeUnixNano,
      `starts before its parent ${parent?.name}`,
    );
    says(
      span.links.some((link) => !byId.has(`${link.traceId}/${link.spanId}`)),
      'a link to nothing',
    );
    return found;
  }, doubled);
}

function configOf(endpoint: string, sinkUrl: string): object {
  const exporter = { encoding: 'json', compression: 'none', sending_queue: { enabled: false } };
  return {
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { otlp_http: { endpoint: sinkUrl, ...exporter } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp_http'] } },
    },
  };
}

async function startLogging(bin: string, config: string, logFile: string): Promise<Child> {
  const log = await open(logFile, 'a', 0o600);
  try {
    return await startChild(bin, ['--config', config], {
      env: {},
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
}

/** Where the collector hands on what it takes in. */
async function startSink() {
  const bodies: string[] = [];
  const take = async (request: IncomingMessage, answer: ServerResponse) => {
    bodies.push(String(await readLimited(request, BODY_MAX_BYTES)));
    answer.setHeader('content-type', 'application/json').end('{}');
  };
  const server = createServer((request, answer) => void take(request, answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const spans = () =>
    bodies.flatMap((body) =>
      EXPORT.parse(JSON.parse(body)).resourceSpans.flatMap(({ resource, scopeSpans }) =>
        scopeSpans.flatMap((scope) =>
          scope.spans.map((span) => ({ ...span, service: resource.attributes['service.name'] })),
        ),
      ),
    );
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    text: () => bodies.join('\n'),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
