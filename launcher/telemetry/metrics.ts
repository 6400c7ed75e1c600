/**
 * The launcher's metrics in Prometheus' text format: what wide events told, what the calls to LiveKit
 * and the engine took, and what there is at the moment of the scrape. A registry of its own: nothing
 * is global, and what is never asked for costs nothing but the counting.
 *
 * How many time series there are depends on the profiles alone (`metrics-labels.ts`), never on rooms,
 * tasks or what strangers send. docs/metrics.md lists them; a test holds it to what is here.
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Exposition } from '../admin/ports.ts';
import type { NoteCall } from '../lib/call-meter.ts';
import type { Clock } from '../lib/clock.ts';
import type { Listener } from './log.ts';
import { engineCalls, livekitCalls } from './metrics-calls.ts';
import { eventMetrics } from './metrics-events.ts';
import { startMetrics } from './metrics-starts.ts';
import { stateMetrics, type Shown, type WantedStandbys } from './metrics-state.ts';
import type { StepListener } from './start-ups.ts';
import { Unserved } from './unserved.ts';

/** Gauges of the library's that are named like counters; each is the sum of one that stays. */
const MISNAMED = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

export interface MetricsOptions {
  readonly version: string;
  /** Name of the engine's driver. */
  readonly driver: string;
  readonly deployment: string;
  readonly profiles: readonly WantedStandbys[];
  readonly resyncMs: number;
  readonly clock: Clock;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #setState: (shown: Shown) => void;
  /** Takes an event in: a listener of the log. */
  readonly listener: Listener;
  /** Takes a step of a task's way in, from the start-ups. */
  readonly reached: StepListener;
  readonly engineCall: NoteCall;
  readonly livekitCall: NoteCall;

  constructor(options: MetricsOptions) {
    const registry = this.#registry;
    const { profiles, clock } = options;
    const names = profiles.map(({ name }) => name);
    about(registry, options);
    const unserved = new Unserved();
    const count = eventMetrics(registry, names);
    this.listener = (told) => {
      count(told);
      unserved.listener(told);
    };
    this.reached = startMetrics(registry, names);
    this.engineCall = engineCalls(registry);
    this.livekitCall = livekitCalls(registry);
    this.#setState = stateMetrics(registry, { profiles, unserved, clock });
    collectDefaultMetrics({ register: registry });
    for (const name of MISNAMED) registry.removeSingleMetric(name);
  }

  /** All of it, as of now. */
  async expose(shown: Shown): Promise<Exposition> {
    this.#setState(shown);
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}

/** What never changes while the process lives. */
function about(registry: Registry, options: MetricsOptions): void {
  const { version, driver, deployment, resyncMs } = options;
  const registers = [registry];
  new Gauge({
    name: 'room_launcher_build_info',
    help: '1, with what this launcher is.',
    labelNames: ['version', 'driver', 'deployment'],
    registers,
  }).set({ version, driver, deployment }, 1);
  new Gauge({
    name: 'room_launcher_resync_interval_seconds',
    help: 'The setting LAUNCHER_RESYNC_SECONDS: how often there is a full pass at least.',
    registers,
  }).set(resyncMs / 1_000);
}
