/**
 * When each step of a task's way into its room was: put together from wide events, for the bars of
 * the dashboard, the histograms of the metrics and the spans of the traces.
 *
 * All times are this launcher's. A step that it did not see (it started later, a webhook was lost)
 * is missing. A standby's launch and registration lie before its room's beginning.
 */
import type { Told } from '../lib/log.ts';
import { putNewest } from '../lib/newest.ts';
import type { Listener } from './log.ts';

/** Bounds the memory; the oldest go first. A task's end frees nothing: its bars are still looked at. */
const TASKS_MAX = 5_000;
const ROOMS_MAX = 5_000;

/** Unix times in milliseconds. */
export interface StartUp {
  /** The room's sid; undefined for a standby that has no room. */
  sid?: string;
  attempt?: number;
  /** The profile that it was launched by. */
  profile?: string;
  /** Its room's first webhook arrived, before this task was its room's. */
  heardAtMs?: number;
  /** The launch that was accepted was sent to the engine. */
  launchedAtMs?: number;
  /** The engine promised the task. */
  acceptedAtMs?: number;
  /** Its worker registered at the gateway. */
  registeredAtMs?: number;
  /** Its worker took the job. */
  assignedAtMs?: number;
  /** Its agent was seen in the room. */
  activeAtMs?: number;
  /** Its end was decided here, or its room's end was heard. */
  endingAtMs?: number;
  endedAtMs?: number;
}

/** A step of a task's way, at its time. */
export type Step = Exclude<keyof StartUp, 'sid' | 'attempt' | 'profile'>;

/** Those that an event can bring, in their order. */
const STEPS: readonly Step[] = [
  'launchedAtMs',
  'acceptedAtMs',
  'registeredAtMs',
  'assignedAtMs',
  'activeAtMs',
  'endedAtMs',
];

/** Hears of each step once, with the steps before it. */
export type StepListener = (task: string, step: Step, startUp: Readonly<StartUp>) => void;

export class StartUps {
  /** Both in the order of their first event. */
  readonly #byTask = new Map<string, StartUp>();
  readonly #heardAtMs = new Map<string, number>();
  readonly #finishedAtMs = new Map<string, number>();
  readonly #reached: StepListener;

  constructor(reached: StepListener = () => {}) {
    this.#reached = reached;
  }

  /** Takes an event in: a listener of the log. */
  readonly listener: Listener = (told) => {
    const { sid, task } = told.fields;
    if (told.event === 'webhook.receive' && typeof sid === 'string') this.#heard(sid, told);
    if (typeof task !== 'string') return;
    const steps = stepsOf(told);
    if (steps === null) return;
    const known = this.#byTask.get(task) ?? putNewest(this.#byTask, task, {}, TASKS_MAX);
    if (typeof sid === 'string') known.sid = sid;
    const isNew = STEPS.filter((step) => step in steps && !(step in known));
    Object.assign(known, { ...steps, ...known });
    if (known.sid !== undefined) this.#noteRoom(known, known.sid, told);
    for (const step of isNew) this.#reached(task, step, known);
  };

  /** Undefined for a task of which nothing was heard, or not lately. */
  of(task: string): Readonly<StartUp> | undefined {
    return this.#byTask.get(task);
  }

  /** Those that are kept, in the order of their first event. */
  all(): readonly Readonly<StartUp>[] {
    return [...this.#byTask.values()];
  }

  /** When the first webhook about a room arrived, and that of its end. */
  room(sid: string): { readonly heardAtMs?: number; readonly finishedAtMs?: number } {
    const heardAtMs = this.#heardAtMs.get(sid);
    const finishedAtMs = this.#finishedAtMs.get(sid);
    return {
      ...(heardAtMs !== undefined && { heardAtMs }),
      ...(finishedAtMs !== undefined && { finishedAtMs }),
    };
  }

  #noteRoom(known: StartUp, sid: string, { event }: Told): void {
    const { heardAtMs, finishedAtMs } = this.room(sid);
    if (heardAtMs !== undefined) known.heardAtMs ??= heardAtMs;
    if (finishedAtMs === undefined || event !== 'task.end') return;
    known.endingAtMs = Math.min(finishedAtMs, known.endingAtMs ?? finishedAtMs);
  }

  /** The first webhook about a room, or about its end; later ones tell of something else. */
  #heard(sid: string, { atMs, fields }: Told): void {
    if (!this.#heardAtMs.has(sid)) putNewest(this.#heardAtMs, sid, atMs, ROOMS_MAX);
    if (fields['webhook_event'] !== 'room_finished' || this.#finishedAtMs.has(sid)) return;
    putNewest(this.#finishedAtMs, sid, atMs, ROOMS_MAX);
  }
}

/** What the event says of a task's way; null: nothing. Times that are known already stay. */
function stepsOf({ event, atMs, fields }: Told): StartUp | null {
  const { outcome, took_ms: tookMs, attempt, profile } = fields;
  const numbered = typeof attempt === 'number' ? { attempt } : {};
  switch (event) {
    case 'task.launch':
      if (outcome !== 'accepted') return null;
      return {
        ...numbered,
        ...(typeof profile === 'string' && { profile }),
        launchedAtMs: atMs - Number(tookMs ?? 0),
        acceptedAtMs: atMs,
      };
    case 'task.register':
      return { registeredAtMs: atMs };
    case 'task.assign':
      return outcome === 'assigned' ? { assignedAtMs: atMs } : null;
    case 'task.active':
      return { ...numbered, activeAtMs: atMs };
    case 'task.ending':
      return { endingAtMs: atMs };
    case 'task.end':
      return { ...numbered, endedAtMs: atMs };
    default:
      return null;
  }
}
