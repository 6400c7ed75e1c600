/** Histograms of calls to what the launcher depends on, as their decorators note them. */
import { Histogram, type Registry } from 'prom-client';
import type { NoteCall } from '../lib/call-meter.ts';

/** From a call on this machine to the longest that one may take. */
const CALL_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is there from the start, at 0; other ways for a call to fail show once it did. */
const ENGINE_CALLS = {
  launch: ['accepted', 'refused', 'unknown'],
  list: ['ok', 'unavailable'],
  stop: ['accepted', 'unavailable'],
  remove: ['ok', 'unavailable'],
};
const ANSWERS = ['ok', 'unavailable'];
const LIVEKIT_CALLS = {
  'list-rooms': ANSWERS,
  'look-at-room': ANSWERS,
  'list-participants': ANSWERS,
  'list-dispatch': ANSWERS,
};

export function engineCalls(registry: Registry): NoteCall {
  const seconds = new Histogram({
    name: 'room_launcher_engine_call_duration_seconds',
    help: "Calls to the engine by the driver's verb and by how they went.",
    labelNames: ['verb', 'outcome'],
    buckets: CALL_BUCKETS_SECONDS,
    registers: [registry],
  });
  return noteIn(seconds, ENGINE_CALLS);
}

export function livekitCalls(registry: Registry): NoteCall {
  const seconds = new Histogram({
    name: 'room_launcher_livekit_call_duration_seconds',
    help: "Calls to LiveKit's server API by what was asked and by how they went.",
    labelNames: ['verb', 'outcome'],
    buckets: CALL_BUCKETS_SECONDS,
    registers: [registry],
  });
  return noteIn(seconds, LIVEKIT_CALLS);
}

/** Verbs and outcomes are fixed few already: the decorators name them. */
function noteIn(
  seconds: Histogram<'verb' | 'outcome'>,
  known: Readonly<Record<string, readonly string[]>>,
): NoteCall {
  for (const [verb, outcomes] of Object.entries(known)) {
    for (const outcome of outcomes) seconds.zero({ verb, outcome });
  }
  return ({ verb, outcome, tookMs }) => seconds.observe({ verb, outcome }, tookMs / 1_000);
}
