import * as api from '@opentelemetry/api';
import { expect, test } from 'vitest';
import { launchersContext } from '../../../agent-image/trace-context.ts';
import { attemptTrace, traceparentOf } from '../../../launcher/telemetry/traces-ids.ts';

const IDS = attemptTrace('us', 'r-RM_1-1', 'RM_1');
const otel = () => api;
const unloaded = () => {
  throw new Error('loaded');
};

test.each([
  [true, api.TraceFlags.SAMPLED],
  [false, api.TraceFlags.NONE],
])("the launcher's span is the parent, sampled: %s", (sampled, traceFlags) => {
  const attributes = { 'room-launcher.traceparent': traceparentOf(IDS, sampled) };
  const context = launchersContext(attributes, { otel });
  expect(context && api.trace.getSpanContext(context)).toEqual({
    ...IDS,
    traceFlags,
    isRemote: true,
  });
});

test.each([undefined, {}, { 'room-launcher.traceparent': '00-abc-def-01' }])(
  'without a context in the job nothing is loaded: %o',
  (attributes) => {
    expect(launchersContext(attributes, { otel: unloaded })).toBeUndefined();
  },
);
