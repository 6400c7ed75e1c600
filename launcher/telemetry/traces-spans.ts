/**
 * Wide events to spans: which spans a task's way makes, and when each is told. It knows nothing of
 * OpenTelemetry.
 *
 * An attempt is one trace: a root `attempt` from its room's first webhook (a later attempt: from its
 * launch) to its end, and below it
 *
 *     launch    the call to the engine; one for each answer that says something new
 *     start     from the engine's promise to the worker's registration (from the call, where the
 *               worker is quicker than the engine's answer)
 *     assign    from there to the job's assignment
 *     join      from there until the agent is seen in the room
 *     serve     from there until the room's end is heard, or the task's is decided or seen
 *     ending    from there until the task has ended
 *
 * A span is told when it ends: a call of hours shows its start-up at once, `serve` and the root at
 * its end. A standby's time before it has a room is a trace of its own, `standby`, to which its
 * attempt links; a later attempt of a room links to the one before it.
 *
 * What this launcher did not see makes no span. Of a task that an earlier one launched there come
 * `serve`, from when its agent was first seen, and the root, from when the engine made the task.
 */
import type { Fields, Told } from '../lib/log.ts';
import type { Listener } from './log.ts';
import type { StartUp, StartUps } from './start-ups.ts';
import { attemptTrace, standbyTrace, type TraceIds } from './traces-ids.ts';
import { KnownTasks } from './traces-known.ts';

export interface SpanRecord {
  readonly trace: TraceIds;
  readonly name: string;
  /** The root has the trace's own span id; all others are its children. */
  readonly root: boolean;
  /** Unix time. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Fields;
  /** What went wrong, in words; undefined: nothing. */
  readonly error?: string | undefined;
  /** What came before it. */
  readonly links?: readonly TraceIds[];
}

type Span = Omit<SpanRecord, 'trace' | 'name' | 'root'>;

export class SpanTeller {
  readonly #deployment: string;
  readonly #startUps: StartUps;
  readonly #tell: (span: SpanRecord) => void;
  readonly #known = new KnownTasks();

  /** `startUps` must hear each event before this does. */
  constructor(deployment: string, startUps: StartUps, tell: (span: SpanRecord) => void) {
    this.#deployment = deployment;
    this.#startUps = startUps;
    this.#tell = tell;
  }

  /** Takes an event in: a listener of the log. */
  readonly listener: Listener = (told) => {
    const { event, atMs, fields } = told;
    const { task, sid } = fields;
    if (typeof sid === 'string') {
      if (event === 'run.fail') this.#giveUp(sid, atMs, String(fields['reason']));
      if (fields['webhook_event'] === 'room_finished')
        this.#giveUp(sid, atMs, 'the room has ended');
    }
    if (typeof task !== 'string') return;
    if (typeof sid === 'string') this.#known.noteRoom(task, sid);
    if (event === 'task.launch') return this.#launched(task, told);
    const seen = this.#startUps.of(task);
    if (seen === undefined) return;
    if (event === 'task.register') this.#registered(task, atMs, seen);
    else if (event === 'task.assign') this.#assigned(task, told, seen);
    else if (event === 'task.active') this.#active(task, atMs, seen);
    else if (event === 'task.end') this.#ended(task, told, seen);
  };

  #launched(task: string, { fields, level, atMs }: Told): void {
    const { attempt, profile, outcome, refusal } = fields;
    const sid = typeof fields['sid'] === 'string' ? fields['sid'] : undefined;
    const startMs = atMs - Number(fields['took_ms'] ?? 0);
    const refused =
      outcome === 'accepted'
        ? null
        : { type: String(refusal ?? outcome), detail: String(fields['detail']) };
    const known = this.#known.noteLaunch(task, { attempt, profile, sentAtMs: startMs, refused });
    if (sid !== undefined) this.#giveUp(sid, startMs, 'the next attempt follows', task);
    // Told at level debug: the same answer once more.
    if (level === 'debug') return;
    // An image that is being pulled is no failure.
    const failure = refusal === 'pulling' ? null : refused;
    const type = { 'error.type': failure?.type };
    const said = { 'room_launcher.outcome': outcome, ...type };
    const error = failure?.detail;
    this.#child(task, sid, 'launch', { startMs, endMs: atMs, attributes: said, error });
    const registeredAtMs = this.#startUps.of(task)?.registeredAtMs;
    if (outcome === 'accepted' && registeredAtMs !== undefined && registeredAtMs >= startMs) {
      this.#child(task, sid, 'start', { startMs, endMs: registeredAtMs, attributes: {} });
    }
    if (sid !== undefined || outcome !== 'refused' || failure === null) return;
    this.#standby(task, { startMs: known.sentAtMs, endMs: atMs, attributes: type, error });
  }

  #registered(task: string, atMs: number, { acceptedAtMs, registeredAtMs, sid }: StartUp): void {
    if (acceptedAtMs === undefined || registeredAtMs !== atMs) return;
    this.#child(task, sid, 'start', { startMs: acceptedAtMs, endMs: atMs, attributes: {} });
  }

  /** A worker's no, and an offer that it let expire, are failed ones of several. */
  #assigned(task: string, { fields, level, atMs: endMs }: Told, seen: StartUp): void {
    const { outcome, reason } = fields;
    const failed = level === 'warn';
    if (outcome !== 'assigned' && !failed) return;
    const { launchedAtMs, registeredAtMs } = seen;
    const sid = typeof fields['sid'] === 'string' ? fields['sid'] : seen.sid;
    if (isStandby(task) && !failed && launchedAtMs !== undefined) {
      this.#standby(task, { startMs: launchedAtMs, endMs, attributes: {} });
    }
    const startMs = isStandby(task)
      ? this.#heardBefore(task, sid, endMs)
      : (registeredAtMs ?? endMs);
    const attributes = { 'error.type': failed ? outcome : undefined };
    const error = failed ? String(reason) : undefined;
    this.#child(task, sid, 'assign', { startMs, endMs, attributes, error });
  }

  #active(task: string, atMs: number, { sid, assignedAtMs, activeAtMs }: StartUp): void {
    if (assignedAtMs === undefined || activeAtMs !== atMs) return;
    this.#child(task, sid, 'join', { startMs: assignedAtMs, endMs: atMs, attributes: {} });
  }

  #ended(task: string, { level, fields, atMs }: Told, seen: StartUp): void {
    const known = this.#known.launched(task);
    this.#known.forget(task);
    // Told at level debug: it had ended before this launcher came, and was told by the one before.
    if (level === 'debug') return;
    const { sid, launchedAtMs, activeAtMs, endingAtMs = atMs } = seen;
    const { verdict, reason, code, attempt } = fields;
    const good = verdict === 'served' || verdict === 'displaced';
    const error = good ? undefined : String(reason);
    const attributes = {
      'room_launcher.profile': known?.profile ?? fields['profile'],
      'room_launcher.attempt': attempt,
      'room_launcher.verdict': verdict,
      'room_launcher.reason': reason,
      'process.exit.code': code,
      'error.type': good ? undefined : verdict,
    };
    if (sid === undefined) {
      const startMs = launchedAtMs ?? Number(fields['created_at_ms'] ?? atMs);
      return this.#standby(task, { startMs, endMs: atMs, attributes, error });
    }
    const resumed = { 'room_launcher.resumed': launchedAtMs === undefined || undefined };
    if (activeAtMs !== undefined) {
      const endMs = Math.max(activeAtMs, endingAtMs);
      this.#child(task, sid, 'serve', { startMs: activeAtMs, endMs, attributes: resumed });
    }
    if (endingAtMs < atMs) {
      this.#child(task, sid, 'ending', { startMs: endingAtMs, endMs: atMs, attributes: {} });
    }
    const begun = this.#beginning(task, seen, known?.sentAtMs);
    const startMs = begun ?? Number(fields['created_at_ms'] ?? atMs);
    this.#root(task, sid, {
      startMs,
      endMs: atMs,
      attributes: { ...attributes, ...resumed },
      error,
    });
  }

  /** When the attempt began; undefined: before this launcher did. */
  #beginning(task: string, seen: StartUp, sentAtMs?: number): number | undefined {
    const { sid, launchedAtMs, assignedAtMs, activeAtMs } = seen;
    if (isStandby(task)) return this.#heardBefore(task, sid, assignedAtMs ?? activeAtMs);
    return this.#heardBefore(task, sid, launchedAtMs === undefined ? undefined : sentAtMs);
  }

  /** A room's first webhook, if it came before this, is the beginning of its first attempt alone. */
  #heardBefore<T extends number | undefined>(task: string, sid = '', atMs: T): T | number {
    const { heardAtMs } = this.#startUps.room(sid);
    const first = isStandby(task) || task.endsWith('-1');
    if (!first || this.#known.before(task, sid) !== undefined) return atMs;
    return atMs === undefined || heardAtMs === undefined ? atMs : Math.min(heardAtMs, atMs);
  }

  /** The room's attempts that the engine never promised, this one apart, end here. */
  #giveUp(sid: string, endMs: number, reason: string, apart?: string): void {
    for (const [task, known, refused] of this.#known.refused(sid, apart)) {
      this.#known.forget(task);
      const startMs = this.#heardBefore(task, sid, known.sentAtMs);
      const attributes = {
        'room_launcher.profile': known.profile,
        'room_launcher.attempt': known.attempt,
        'room_launcher.reason': reason,
        'error.type': refused.type,
      };
      this.#root(task, sid, { startMs, endMs, attributes, error: refused.detail });
    }
  }

  #root(task: string, sid: string, span: Span): void {
    const before = this.#known.before(task, sid);
    const waited = isStandby(task) && this.#startUps.of(task)?.launchedAtMs !== undefined;
    const links = [
      ...(before === undefined ? [] : [attemptTrace(this.#deployment, before, sid)]),
      ...(waited ? [standbyTrace(this.#deployment, task)] : []),
    ];
    const trace = attemptTrace(this.#deployment, task, sid);
    this.#put(task, sid, { ...span, trace, name: 'attempt', root: true, links });
  }

  #standby(task: string, span: Span): void {
    const trace = standbyTrace(this.#deployment, task);
    this.#put(task, undefined, { ...span, trace, name: 'standby', root: true });
  }

  #child(task: string, sid: string | undefined, name: string, span: Span): void {
    const { profile } = this.#known.launched(task) ?? {};
    const attributes = { 'room_launcher.profile': profile, ...span.attributes };
    const trace =
      sid === undefined
        ? standbyTrace(this.#deployment, task)
        : attemptTrace(this.#deployment, task, sid);
    this.#put(task, sid, { ...span, attributes, trace, name, root: false });
  }

  #put(task: string, sid: string | undefined, span: SpanRecord): void {
    const name = {
      'room_launcher.deployment': this.#deployment,
      'room_launcher.task': task,
      'room_launcher.sid': sid,
    };
    this.#tell({ ...span, attributes: { ...name, ...span.attributes } });
  }
}

/** By its key (`core/key.ts`). */
function isStandby(task: string): boolean {
  return task.startsWith('s-');
}
