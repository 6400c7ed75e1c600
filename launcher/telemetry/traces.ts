/**
 * Traces, by OpenTelemetry: one per attempt, from webhook to end. Off, and nothing of OpenTelemetry
 * loaded, unless its standard variables name an endpoint. They break no work and delay no end:
 * what cannot be sent is dropped, and that is said once.
 */
import { type Clock, delay } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Outage } from '../lib/outage.ts';
import type { Listener } from './log.ts';
import type { StartUps } from './start-ups.ts';
import { attemptTrace, traceparentOf } from './traces-ids.ts';
import { SpanTeller } from './traces-spans.ts';

/** The whole of what a launcher's end may wait for its last spans. */
const FLUSH_LIMIT_MS = 1_000;
const PROTOCOL = 'http/protobuf';
const WORDS = {
  begins: 'do not get through; they are dropped until they do',
  ends: 'get through again',
};

type Env = Readonly<Record<string, string | undefined>>;

export interface Traces {
  readonly listener: Listener;
  /** The context in which the room's agent goes on, for the task that serves it. */
  traceparent(task: string, sid: string): string;
  /** Sends what is left, for a second at most. Never rejects. */
  close(): Promise<void>;
}

export interface TracesOptions {
  readonly env: Env;
  readonly deployment: string;
  /** Hears each event before the traces do. */
  readonly startUps: StartUps;
  readonly clock: Clock;
  readonly log: Log;
}

/** Null: traces are off. A setting that cannot work is warned about, and they are off. */
export async function openTraces(options: TracesOptions): Promise<Traces | null> {
  const { env, deployment, startUps, clock, log } = options;
  const wanted = tracesWanted(env);
  if (wanted !== true) {
    if (wanted !== false) log.warn('no traces are sent', { reason: wanted.problem });
    return null;
  }
  const { createSpanWriter } = await import('./traces-sdk.ts');
  const outage = new Outage('traces', clock, log, WORDS);
  const writer = createSpanWriter({ deployment, outage });
  const teller = new SpanTeller(deployment, startUps, (span) => writer.write(span));
  return {
    listener: teller.listener,
    traceparent(task, sid) {
      const ids = attemptTrace(deployment, task, sid);
      return traceparentOf(ids, writer.sampled(ids));
    },
    async close() {
      if (outage.down) return;
      const flushed = writer.flush().catch(() => {}); // said by the outage
      const late = new AbortController();
      await Promise.race([flushed, delay(clock, FLUSH_LIMIT_MS, late.signal)]);
      late.abort();
    },
  };
}

/** By OpenTelemetry's standard variables; of values for the SDK alone they are read there. */
export function tracesWanted(env: Env): boolean | { readonly problem: string } {
  const of = (...names: readonly string[]) => {
    const name = names.find((one) => env[one]?.trim());
    return name === undefined ? null : { name, value: env[name]!.trim() };
  };
  const endpoint = of('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  const exporter = of('OTEL_TRACES_EXPORTER')?.value ?? 'otlp';
  const disabled = of('OTEL_SDK_DISABLED')?.value.toLowerCase() === 'true';
  if (endpoint === null || disabled || exporter === 'none') return false;
  if (exporter !== 'otlp') {
    return { problem: `OTEL_TRACES_EXPORTER is "${exporter}": set otlp, or none` };
  }
  const protocol = of('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol !== null && protocol.value !== PROTOCOL) {
    return { problem: `${protocol.name} is "${protocol.value}": only ${PROTOCOL} is spoken` };
  }
  const url = URL.canParse(endpoint.value) ? new URL(endpoint.value) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    return { problem: `${endpoint.name} is no URL that begins with http:// or https://` };
  }
  return true;
}
