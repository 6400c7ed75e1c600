/**
 * The launcher's trace, which the agent's own spans go on with: the context is in the token that
 * came with the job. Spans are made only if the agent has set OpenTelemetry up.
 */
import type { Context } from '@opentelemetry/api';
import { TRACEPARENT_ATTRIBUTE } from '../launcher/gateway/wire.ts';
import type { LoadedAgent } from './load-agent.ts';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Undefined where the launcher sends no traces; nothing is loaded then. */
export function launchersContext(
  attributes: Readonly<Record<string, string>> | undefined,
  { otel }: Pick<LoadedAgent, 'otel'>,
): Context | undefined {
  const [, traceId, spanId, flags] =
    TRACEPARENT.exec(attributes?.[TRACEPARENT_ATTRIBUTE] ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const { ROOT_CONTEXT, trace } = otel();
  const parent = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}
