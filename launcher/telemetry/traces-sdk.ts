/**
 * Spans into OpenTelemetry's SDK and out by OTLP over HTTP. Loaded only when traces are on: this is
 * the one file that imports the SDK.
 *
 * Each span is made when it is over, with its own times and, a root, with its own ids. So nothing
 * is open in the SDK while a call lasts, and a later launcher goes on with the same trace. What the
 * SDK and the exporter read of the environment (sampler, limits, batches, endpoint, headers,
 * certificates) they read themselves, as OpenTelemetry's documents have it.
 */
import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type IdGenerator,
  RandomIdGenerator,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { reasonOf } from '../lib/log.ts';
import type { Outage } from '../lib/outage.ts';
import type { TraceIds } from './traces-ids.ts';
import type { SpanRecord } from './traces-spans.ts';

const SERVICE_NAME = 'room-launcher';

export interface SpanWriter {
  readonly write: (span: SpanRecord) => void;
  /** Whether the sampler keeps this trace; the same answer each time, also after a restart. */
  readonly sampled: (ids: TraceIds) => boolean;
  /** Sends what is there. Rejects when it cannot. */
  readonly flush: () => Promise<void>;
}

export interface WriterOptions {
  readonly deployment: string;
  readonly outage: Outage;
  /** Default: OTLP, as the environment says. */
  readonly exporter?: SpanExporter;
}

export function createSpanWriter(options: WriterOptions): SpanWriter {
  const { deployment, outage, exporter = new OTLPTraceExporter() } = options;
  const ids = new GivenIds();
  const own = {
    'service.name': SERVICE_NAME,
    'room_launcher.deployment': deployment,
  };
  const provider = new BasicTracerProvider({
    idGenerator: ids,
    resource: defaultResource()
      .merge(resourceFromAttributes(own))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(watched(exporter, outage))],
  });
  const tracer = provider.getTracer(SERVICE_NAME);
  /** A span that is started and never ended is asked after its sampling alone. */
  const rootOf = (root: TraceIds): SpanContext =>
    ids.as(root, () => tracer.startSpan('attempt', { root: true }, ROOT_CONTEXT).spanContext());
  return {
    write({ trace: root, name, root: isRoot, startMs, endMs, attributes, error, links = [] }) {
      // As dates: a number from before this process began would be taken for one of its own clock.
      const how = {
        startTime: new Date(startMs),
        attributes: present(attributes),
        links: links.map(linkTo),
      };
      const span = isRoot
        ? ids.as(root, () => tracer.startSpan(name, { ...how, root: true }, ROOT_CONTEXT))
        : tracer.startSpan(name, how, under(rootOf(root)));
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error });
      span.end(new Date(Math.max(startMs, endMs)));
    },
    sampled: (root) => (rootOf(root).traceFlags & TraceFlags.SAMPLED) !== 0,
    flush: () => provider.forceFlush(),
  };
}

/** The ids that were asked for, else random ones. */
class GivenIds implements IdGenerator {
  readonly #random = new RandomIdGenerator();
  #given: TraceIds | null = null;

  generateTraceId(): string {
    return this.#given?.traceId ?? this.#random.generateTraceId();
  }

  generateSpanId(): string {
    return this.#given?.spanId ?? this.#random.generateSpanId();
  }

  as<T>(given: TraceIds, start: () => T): T {
    this.#given = given;
    try {
      return start();
    } finally {
      this.#given = null;
    }
  }
}

function under(parent: SpanContext): Context {
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}

function linkTo(ids: TraceIds): Link {
  return { context: { ...ids, traceFlags: TraceFlags.SAMPLED } };
}

function present(fields: SpanRecord['attributes']): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value == null ? [] : [[name, value]])),
  );
}

/** Says once when spans cannot be sent, and once when they can again. */
function watched(exporter: SpanExporter, outage: Outage): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error === undefined) outage.succeeded();
        else outage.failed(reasonFor(result.error));
        done(result);
      }),
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
}

/** Of an answer its status; its text is somebody else's. */
function reasonFor(error: Error): string {
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'number' ? `the receiver answers ${code}` : reasonOf(error);
}
