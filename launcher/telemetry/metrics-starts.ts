/**
 * Histograms of a task's way into its room, step by step and as a whole, fed by the start-ups as they
 * are put together from wide events. A cold start and a standby's are told apart: a standby waits for
 * its room between two steps, and that is nobody's delay.
 *
 * What begins with a webhook is measured of a room's first attempt alone: a later one answers to an
 * earlier one's end. A room that no webhook told of, or told of too late, is counted as found by list.
 */
import { Counter, Histogram, type Registry } from 'prom-client';
import { kindOfTask, profileLabel } from './metrics-labels.ts';
import type { StartUp, StepListener } from './start-ups.ts';

/** From a standby's 100 ms to Fargate's minute, and to what the start deadline may allow. */
const START_BUCKETS_SECONDS = [
  0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1, 1.5, 2.5, 4, 6, 10, 15, 25, 40, 60, 90, 150, 300,
];

const SPANS = {
  cold: [
    'webhook_to_launch',
    'launch_to_accepted',
    'accepted_to_registered',
    'registered_to_assigned',
    'assigned_to_active',
  ],
  standby: [
    'launch_to_accepted',
    'accepted_to_registered',
    'webhook_to_assigned',
    'assigned_to_active',
  ],
} as const;

type Start = keyof typeof SPANS;
type Span = (typeof SPANS)[Start][number];

/** Makes the metrics of this registry; `profiles` are the names of all that there are. */
export function startMetrics(registry: Registry, profiles: readonly string[]): StepListener {
  const { found, steps, whole } = makeMetrics(registry, profiles);
  const observe = (start: Start, step: Span, fromMs?: number, toMs?: number) => {
    if (fromMs === undefined || toMs === undefined || toMs < fromMs) return;
    steps.observe({ start, step }, (toMs - fromMs) / 1_000);
  };

  return (task, reached, way) => {
    const start: Start = kindOfTask(task) === 'standby' ? 'standby' : 'cold';
    const { launchedAtMs, acceptedAtMs, registeredAtMs, assignedAtMs, activeAtMs } = way;
    const heardAtMs = beginning(way, start);
    const isRooms = reached === (start === 'cold' ? 'acceptedAtMs' : 'assignedAtMs');
    if (isRooms && (way.attempt ?? 1) === 1) {
      found.inc({ by: heardAtMs === undefined ? 'list' : 'webhook' });
      if (start === 'cold') observe(start, 'webhook_to_launch', heardAtMs, launchedAtMs);
      else observe(start, 'webhook_to_assigned', heardAtMs, assignedAtMs);
    }
    if (reached === 'acceptedAtMs') {
      observe(start, 'launch_to_accepted', launchedAtMs, acceptedAtMs);
    } else if (reached === 'registeredAtMs') {
      observe(start, 'accepted_to_registered', acceptedAtMs, registeredAtMs);
    } else if (reached === 'assignedAtMs' && start === 'cold') {
      observe(start, 'registered_to_assigned', registeredAtMs, assignedAtMs);
    } else if (reached === 'activeAtMs') {
      observe(start, 'assigned_to_active', assignedAtMs, activeAtMs);
      if (heardAtMs === undefined || activeAtMs === undefined) return;
      const profile = profileLabel(profiles, way.profile);
      whole.observe({ profile, start }, (activeAtMs - heardAtMs) / 1_000);
    }
  };
}

function makeMetrics(registry: Registry, profiles: readonly string[]) {
  const registers = [registry];
  const found = new Counter({
    name: 'room_launcher_rooms_found_total',
    help: 'Rooms that got their first task, by what told of them: a webhook, or only a list.',
    labelNames: ['by'],
    registers,
  });
  const steps = new Histogram({
    name: 'room_launcher_start_step_duration_seconds',
    help: "Duration of each step of a task's way into its room.",
    labelNames: ['start', 'step'],
    buckets: START_BUCKETS_SECONDS,
    registers,
  });
  const whole = new Histogram({
    name: 'room_launcher_start_duration_seconds',
    help: "From a room's first webhook to its agent active in it; first attempts alone.",
    labelNames: ['profile', 'start'],
    buckets: START_BUCKETS_SECONDS,
    registers,
  });
  for (const by of ['webhook', 'list']) found.inc({ by }, 0);
  for (const start of ['cold', 'standby'] as const) {
    for (const step of SPANS[start]) steps.zero({ start, step });
    for (const profile of profiles) whole.zero({ profile, start });
  }
  return { found, steps, whole };
}

/** When the webhook came that led to this task; undefined when none did, as far as is known. */
function beginning(
  { attempt = 1, heardAtMs, launchedAtMs, assignedAtMs }: Readonly<StartUp>,
  start: Start,
): number | undefined {
  const doneAtMs = start === 'cold' ? launchedAtMs : assignedAtMs;
  if (attempt !== 1 || heardAtMs === undefined || doneAtMs === undefined) return undefined;
  return heardAtMs <= doneAtMs ? heardAtMs : undefined;
}
