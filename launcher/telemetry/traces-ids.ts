/**
 * The ids of a trace, worked out from what it is about: every launcher of a deployment, also one
 * that started in mid-attempt, comes to the same ones with nothing stored.
 */
import { createHash } from 'node:crypto';

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;

/** A trace and its root span, in hex. */
export interface TraceIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** Of the attempt that `task` is of the run of room `sid`. */
export function attemptTrace(deployment: string, task: string, sid: string): TraceIds {
  return idsOf(['attempt', deployment, task, sid]);
}

/** Of a standby's time without a room. */
export function standbyTrace(deployment: string, task: string): TraceIds {
  return idsOf(['standby', deployment, task]);
}

/** A W3C `traceparent` under which whoever has it goes on: the root span is the parent. */
export function traceparentOf({ traceId, spanId }: TraceIds, sampled: boolean): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

function idsOf(parts: readonly string[]): TraceIds {
  const digest = createHash('sha256').update(parts.join('/')).digest();
  return {
    traceId: digest.subarray(0, TRACE_ID_BYTES).toString('hex'),
    spanId: digest.subarray(TRACE_ID_BYTES, TRACE_ID_BYTES + SPAN_ID_BYTES).toString('hex'),
  };
}
