/**
 * What goes wrong between a caller and the service, as a test scripts it.
 *
 * `next` queues faults for calls of one action; `always` holds until it is taken back; `decide` is
 * asked about every other call, for chance that is the test's own. `before`: the service never acts.
 * `after`: it acts, and its answer is lost.
 */
import type { Action } from './actions.ts';
import { type EcsError, rateExceeded } from './errors.ts';

export type Fault =
  /** The connection breaks. */
  | { readonly kind: 'reset-before' }
  | { readonly kind: 'reset-after' }
  /** No answer ever. */
  | { readonly kind: 'hang-before' }
  | { readonly kind: 'hang-after' }
  /** Half of the answer's body, then the connection breaks. The service has acted. */
  | { readonly kind: 'truncated' }
  /** A load balancer answers in the service's place. */
  | { readonly kind: 'html'; readonly status?: number }
  /** The service answers this error; with `acted` it has carried the call out all the same. */
  | {
      readonly kind: 'error';
      readonly error: EcsError;
      readonly acted?: boolean;
      readonly retryAfterSeconds?: number;
    };

export type QueueAction = 'ReceiveMessage' | 'DeleteMessage';
export type Faulty = Action | QueueAction;

export class Faults {
  readonly #queued = new Map<Faulty, Fault[]>();
  readonly #standing = new Map<Faulty | '*', Fault>();
  decide: (action: Faulty) => Fault | null = () => null;

  /** The next `times` calls of `action` meet this fault. */
  next(action: Faulty, fault: Fault, times = 1): void {
    const queued = this.#queued.get(action) ?? [];
    this.#queued.set(action, [...queued, ...Array.from({ length: times }, () => fault)]);
  }

  /** Every call of `action`, or of any (`*`), meets this fault until it is taken back with null. */
  always(action: Faulty | '*', fault: Fault | null): void {
    if (fault) this.#standing.set(action, fault);
    else this.#standing.delete(action);
  }

  take(action: Faulty): Fault | null {
    const queued = this.#queued.get(action)?.shift();
    return queued ?? this.#standing.get(action) ?? this.#standing.get('*') ?? this.decide(action);
  }
}

/** The service answers this error. */
export const failing = (error: EcsError): Fault => ({ kind: 'error', error });

/** Throttled, with the Retry-After that some front ends send. */
export const throttled = (retryAfterSeconds?: number): Fault => ({
  kind: 'error',
  error: rateExceeded(),
  ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
});
