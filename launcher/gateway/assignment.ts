/**
 * One task's way to its one job.
 *
 * waiting: the worker has no job. Once it is registered, a look at its room decides: offer the job,
 *   wait and look again (doubt, with growing delays), or end. A standby that no room has waits
 *   without looking, until it is told (`offer`).
 * offered: the job was offered. "No", or no answer in time, leads back to waiting and to the next
 *   look after a backoff (Python's worker refuses while its CPU is busy). "Yes" is followed by a
 *   second look if the first is no longer fresh, and by the assignment.
 * assigned: the assignment was sent, or the worker turned out to have the job: it names it, or the
 *   room's agent shows this task's key. Nothing is ever offered again, and the state outlives the
 *   socket: a worker that comes back in mid-job is welcome and changes nothing.
 * ended: the job was ended here. Final; a worker that comes back is told again.
 *
 * A state has at most one thing under way (a look, a timer, a token). The next state cancels it, so
 * that what comes late changes nothing. An offer does not outlive its socket.
 */
import type { AvailabilityResponse } from '@livekit/protocol';
import type { RoomSid } from '../core/room.ts';
import type { TaskKey } from '../driver.ts';
import { assert } from '../lib/assert.ts';
import { reasonOf } from '../lib/log.ts';
import { lookAgainMs, offerBackoffMs } from './delays.ts';
import { assignment, availability, jobFor, termination, tokenRequest } from './job.ts';
import { lookOnce } from './look.ts';
import type { AssignmentPorts, JobOffer, Look } from './ports.ts';
import { jobIdOf } from './wire.ts';
import type { Worker } from './worker.ts';

/** How long a worker may think about an offer; LiveKit's server gives it as long. */
export const OFFER_TIMEOUT_MS = 10_000;
/** An answer later than this after the look is followed by another look. */
export const FRESH_LOOK_MS = 1_000;

/** LiveKit's Python worker says so by itself above 70 % load, and any agent's request function can. */
const NOT_AVAILABLE = 'the worker says that it is not available';

type State =
  | { readonly name: 'waiting' }
  | { readonly name: 'offered'; readonly offer: JobOffer; readonly lookedAtMs: number }
  | { readonly name: 'assigned'; readonly assignedAtMs: number }
  | { readonly name: 'ended'; readonly assignedAtMs: number | undefined };

export class Assignment {
  readonly #key: TaskKey;
  readonly #ports: AssignmentPorts;
  #worker: Worker | null = null;
  #state: State = { name: 'waiting' };
  #step = new AbortController();
  /** Whether the worker said yes to the offer, so that a second answer is ignored. */
  #accepted = false;
  #failures = 0;
  #waits = 0;
  /** Why the newest look or offer brought no job. */
  #doubt = '';

  constructor(key: TaskKey, ports: AssignmentPorts) {
    this.#key = key;
    this.#ports = ports;
  }

  get state(): State['name'] {
    return this.#state.name;
  }

  /** When the job was assigned, also after its end; undefined before. */
  get assignedAtMs(): number | undefined {
    return 'assignedAtMs' in this.#state ? this.#state.assignedAtMs : undefined;
  }

  /** How far the worker came, in words, for whoever asks why its agent is not in the room. */
  get account(): string {
    if (this.#state.name === 'assigned') return 'its worker took the job; the task log says more';
    const offers = this.#failures === 0 ? '' : ` (offers in vain: ${this.#failures})`;
    return `its worker has registered and has no job${offers}: ${this.#doubt || 'not offered yet'}`;
  }

  /** The task's worker has registered: tell it its end, leave it alone, or find it its job. */
  connect(worker: Worker): void {
    assert(this.#worker === null, 'a task has one registered socket at a time');
    this.#worker = worker;
    if (this.#state.name === 'ended') worker.send(termination(this.#key));
    else if (worker.jobId !== undefined) this.onJobs([worker.jobId]);
    if (this.#state.name === 'waiting') void this.#look();
  }

  /** Its socket is gone: whatever was under way for a job not yet assigned is dropped. */
  disconnect(): void {
    this.#worker = null;
    if (this.#state.name === 'waiting' || this.#state.name === 'offered') {
      this.#become({ name: 'waiting' });
    }
  }

  /** The worker's answer to an offer. Late, repeated and foreign ones are ignored. */
  onAnswer(answer: AvailabilityResponse): void {
    const state = this.#state;
    if (state.name !== 'offered' || this.#accepted || answer.jobId !== jobIdOf(this.#key)) return;
    if (answer.available) void this.#assign(state.offer, state.lookedAtMs, answer);
    else this.#offerFailed(state.offer, 'refused', NOT_AVAILABLE);
  }

  /** The worker names jobs that it is on. Its own task's one means that it needs no offer. */
  onJobs(jobIds: readonly string[]): void {
    const open = this.#state.name === 'waiting' || this.#state.name === 'offered';
    if (open && jobIds.includes(jobIdOf(this.#key))) {
      this.#assigned('resumed', 'the worker names the job', undefined);
    }
  }

  /** The task was given a room: look at it at once. */
  offer(): void {
    if (this.#worker && this.#state.name === 'waiting') void this.#look();
  }

  /** Nothing is to come of an offer that is open or near. False: the worker has said yes already. */
  withdraw(): boolean {
    const open = this.#state.name === 'waiting' || this.#state.name === 'offered';
    if (!open || this.#accepted) return false;
    this.#become({ name: 'waiting' });
    return true;
  }

  /** Ends the job for good; says so to the worker, again on every call. */
  end(): void {
    if (this.#state.name !== 'ended') {
      this.#become({ name: 'ended', assignedAtMs: this.assignedAtMs });
    }
    this.#worker?.send(termination(this.#key));
  }

  async #look(): Promise<void> {
    const step = this.#become({ name: 'waiting' });
    const lookedAtMs = this.#ports.clock.nowMs();
    const look = await lookOnce(this.#ports.host, this.#key, this.#ports.clock, step);
    if (!step.aborted) this.#follow(look, lookedAtMs);
  }

  #follow(look: Look, lookedAtMs: number): void {
    if (look.decision !== 'wait') this.#waits = 0;
    switch (look.decision) {
      case 'offer':
        return this.#offer(look.job, lookedAtMs);
      case 'serving':
        return this.#assigned('resumed', 'its agent is in the room', look.sid);
      case 'gone':
        this.#report('gone', look.reason, undefined);
        return this.end();
      case 'idle':
        this.#doubt = look.reason;
        this.#become({ name: 'waiting' });
        return;
      case 'wait':
        this.#waits++;
        this.#doubt = look.reason;
        this.#ports.log.debug('a task waits for its job', { task: this.#key, reason: look.reason });
        return this.#lookAfter(lookAgainMs(this.#waits));
    }
  }

  #lookAfter(delayMs: number): void {
    const step = this.#become({ name: 'waiting' });
    this.#after(delayMs, step, () => void this.#look());
  }

  #offer(offer: JobOffer, lookedAtMs: number): void {
    const step = this.#become({ name: 'offered', offer, lookedAtMs });
    this.#worker?.send(availability(this.#job(offer)));
    this.#after(OFFER_TIMEOUT_MS, step, () =>
      this.#offerFailed(offer, 'expired', `no answer within ${OFFER_TIMEOUT_MS} ms`),
    );
  }

  #offerFailed(offer: JobOffer, outcome: 'refused' | 'expired' | 'failed', reason: string): void {
    this.#failures++;
    this.#doubt = reason;
    this.#report(outcome, reason, offer.sid, 'warn');
    this.#lookAfter(offerBackoffMs(this.#failures));
    this.#ports.host.changed(this.#key, outcome === 'expired' ? 'expired' : 'refused');
  }

  async #assign(offer: JobOffer, lookedAtMs: number, answer: AvailabilityResponse): Promise<void> {
    const { host, clock, mintToken, taskLivekitUrl } = this.#ports;
    const worker = this.#worker;
    assert(worker !== null, 'an answer comes over a socket');
    const step = this.#become({ name: 'offered', offer, lookedAtMs });
    this.#accepted = true;
    const nowMs = clock.nowMs();
    if (nowMs - lookedAtMs > FRESH_LOOK_MS) {
      const look = await lookOnce(host, this.#key, clock, step);
      if (step.aborted) return;
      const same = look.decision === 'offer' && look.job.sid === offer.sid;
      if (!same) return this.#follow(look, nowMs);
    }
    try {
      const token = await mintToken(tokenRequest(this.#key, offer, worker, answer));
      if (step.aborted) return;
      worker.send(assignment(this.#job(offer), taskLivekitUrl, token));
    } catch (error) {
      if (!step.aborted) this.#offerFailed(offer, 'failed', reasonOf(error));
      return;
    }
    this.#assigned('assigned', 'the worker accepted', offer.sid);
  }

  #assigned(outcome: 'assigned' | 'resumed', reason: string, sid: RoomSid | undefined): void {
    this.#become({ name: 'assigned', assignedAtMs: this.#ports.clock.nowMs() });
    this.#report(outcome, reason, sid);
    this.#ports.host.changed(this.#key, 'assigned');
  }

  #job(offer: JobOffer) {
    return jobFor(this.#key, offer, this.#worker?.id ?? '', this.#ports.clock.nowMs());
  }

  /** The one setter: cancels what the last state had under way, and returns the new one's signal. */
  #become(state: State): AbortSignal {
    this.#step.abort();
    this.#step = new AbortController();
    this.#accepted = false;
    this.#state = state;
    return this.#step.signal;
  }

  #after(delayMs: number, step: AbortSignal, fire: () => void): void {
    step.addEventListener('abort', this.#ports.clock.timer(delayMs, fire), { once: true });
  }

  #report(outcome: string, reason: string, sid?: RoomSid, level: 'info' | 'warn' = 'info'): void {
    const { clock, log } = this.#ports;
    const since = this.#worker ? clock.nowMs() - this.#worker.registeredAtMs : undefined;
    const offers_failed = this.#failures;
    const fields = {
      task: this.#key,
      sid,
      outcome,
      reason,
      offers_failed,
      since_register_ms: since,
    };
    log.event('task.assign', fields, level);
  }
}
