/**
 * Counters and histograms of the metrics that wide events feed: one listener, one handler for each
 * kind of event. Every series there can be exists from the start, at 0, so that the first failure is
 * an increase.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { EventName, Told } from '../lib/log.ts';
import type { Listener } from './log.ts';
import {
  ASSIGN_OUTCOMES,
  kindOfTask,
  oneOf,
  profileLabel,
  REFUSALS,
  TASK_KINDS,
  VERDICTS,
  WEBHOOK_EVENTS,
  WEBHOOK_REFUSALS,
} from './metrics-labels.ts';

/** From a pass that changes nothing to one that waits for an engine. */
const PASS_BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

type Handler = (told: Told) => void;

/** Makes the metrics of this registry; `profiles` are the names of all that there are. */
export function eventMetrics(registry: Registry, profiles: readonly string[]): Listener {
  const registers = [registry];
  const handlers: Partial<Record<EventName, Handler>> = {
    'webhook.receive': webhooks(registers),
    'pass.run': passes(registers),
    'task.launch': launches(registers, profiles),
    'task.register': registrations(registers),
    'task.assign': assignments(registers),
    'task.end': ends(registers),
    'run.fail': failures(registers, profiles),
    'task.call': serverApiCalls(registers),
  };
  return (told) => handlers[told.event]?.(told);
}

type Registers = Registry[];

/** A refusal that repeats is told once a minute, with how often it came. */
function webhooks(registers: Registers): Handler {
  const counter = new Counter({
    name: 'room_launcher_webhooks_total',
    help: 'Webhooks by HTTP status answered; refusals have no event, repeated ones count once a minute.',
    labelNames: ['status', 'event'],
    registers,
  });
  for (const event of WEBHOOK_EVENTS) counter.inc({ status: '200', event }, 0);
  for (const status of WEBHOOK_REFUSALS) counter.inc({ status, event: '' }, 0);
  return ({ fields }) => {
    if (fields['status'] === 200) {
      counter.inc({ status: '200', event: oneOf(WEBHOOK_EVENTS, fields['webhook_event']) });
    } else {
      const status = oneOf(WEBHOOK_REFUSALS, fields['status']);
      counter.inc({ status, event: '' }, Number(fields['count'] ?? 1));
    }
  };
}

/** A full pass tells how many rooms it saw; one over a room's name which room it was. */
function passes(registers: Registers): Handler {
  const seconds = new Histogram({
    name: 'room_launcher_pass_duration_seconds',
    help: 'Duration of passes: over everything (full), or over one room.',
    labelNames: ['scope'],
    buckets: PASS_BUCKETS_SECONDS,
    registers,
  });
  for (const scope of ['full', 'room']) seconds.zero({ scope });
  const newest = new Gauge({
    name: 'room_launcher_full_pass_timestamp_seconds',
    help: 'Unix time at which the newest complete full pass ended; 0 before the first.',
    registers,
  });
  return ({ fields }) => {
    const scope = fields['rooms'] === undefined ? 'room' : 'full';
    seconds.observe({ scope }, Number(fields['took_ms']) / 1_000);
    if (scope === 'full') newest.setToCurrentTime();
  };
}

/** Every request to the engine counts, repeats too. */
function launches(registers: Registers, profiles: readonly string[]): Handler {
  const counter = new Counter({
    name: 'room_launcher_launches_total',
    help: 'Launches asked of the engine, by what it answered; reason: of a refusal.',
    labelNames: ['profile', 'task', 'outcome', 'reason'],
    registers,
  });
  for (const profile of profiles) {
    for (const task of TASK_KINDS) {
      counter.inc({ profile, task, outcome: 'accepted', reason: '' }, 0);
      counter.inc({ profile, task, outcome: 'unknown', reason: '' }, 0);
      for (const reason of REFUSALS) counter.inc({ profile, task, outcome: 'refused', reason }, 0);
    }
  }
  return ({ fields }) => {
    const outcome = oneOf(['accepted', 'refused', 'unknown'], fields['outcome']);
    const reason = outcome === 'refused' ? oneOf(REFUSALS, fields['refusal']) : '';
    const profile = profileLabel(profiles, fields['profile']);
    counter.inc({ profile, task: kindOfTask(String(fields['task'])), outcome, reason });
  };
}

function registrations(registers: Registers): Handler {
  const counter = new Counter({
    name: 'room_launcher_registrations_total',
    help: 'Registrations of workers at the gateway, those that came back included.',
    registers,
  });
  return () => counter.inc();
}

function assignments(registers: Registers): Handler {
  const counter = new Counter({
    name: 'room_launcher_assignments_total',
    help: 'Jobs handed to tasks, by how it went; resumed: the task had its job already.',
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of ASSIGN_OUTCOMES) counter.inc({ outcome }, 0);
  return ({ fields }) => counter.inc({ outcome: oneOf(ASSIGN_OUTCOMES, fields['outcome']) });
}

/** An end that this process did not see alive is old news: told as debug, and not counted again. */
function ends(registers: Registers): Handler {
  const counter = new Counter({
    name: 'room_launcher_task_ends_total',
    help: 'Ends of tasks, by what each meant for its run.',
    labelNames: ['task', 'verdict'],
    registers,
  });
  for (const task of TASK_KINDS) for (const verdict of VERDICTS) counter.inc({ task, verdict }, 0);
  return ({ level, fields }) => {
    if (level === 'debug') return;
    const task = kindOfTask(String(fields['task']));
    counter.inc({ task, verdict: oneOf(VERDICTS, fields['verdict']) });
  };
}

function failures(registers: Registers, profiles: readonly string[]): Handler {
  const counter = new Counter({
    name: 'room_launcher_runs_failed_total',
    help: 'Rooms given up: their retries are used up, or another try could not help.',
    labelNames: ['profile'],
    registers,
  });
  for (const profile of profiles) counter.inc({ profile }, 0);
  return ({ fields }) => counter.inc({ profile: profileLabel(profiles, fields['profile']) });
}

const API_OUTCOMES = [
  'ok',
  'bad_route',
  'malformed',
  'unauthenticated',
  'permission_denied',
  'not_found',
  'deadline_exceeded',
  'resource_exhausted',
  'internal',
  'unavailable',
];

function serverApiCalls(registers: Registers): Handler {
  const counter = new Counter({
    name: 'room_launcher_server_api_calls_total',
    help: "Calls of LiveKit's server API by user code through the gateway, by Twirp's code.",
    labelNames: ['outcome'],
    registers,
  });
  for (const outcome of ['ok', 'internal', 'unavailable']) counter.inc({ outcome }, 0);
  return ({ fields }) => counter.inc({ outcome: oneOf(API_OUTCOMES, fields['outcome']) });
}
