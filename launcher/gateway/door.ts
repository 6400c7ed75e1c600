/**
 * Who may come in: decides about each dial before its upgrade is answered.
 *
 * In order: the right path, a good token, welcome to the host, not barred, and no live twin. One
 * dial per task is decided at a time; whoever dials meanwhile is told to come again.
 */
import type { IncomingMessage } from 'node:http';
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import type { Secret } from '../lib/secret.ts';
import { type RefusedToken, verifyTaskToken } from './credentials.ts';
import { isAgentPath, type Refusal } from './http.ts';
import type { GatewayHost } from './ports.ts';
import type { WorkerSocket } from './socket.ts';

/** Time for a task's first socket to prove that it lives when a second one is opened. */
export const TWIN_PING_TIMEOUT_MS = 1_000;
/** How long a worker whose socket was closed for its own fault is refused. */
export const BARRED_MS = 30_000;

/** A refusal, with the task that dialled once its token was good. */
export interface Refused extends Refusal {
  readonly key: TaskKey | undefined;
  /** The task that a bad token names. */
  readonly claims?: TaskKey;
  /** No gateway secret of ours made that token, although the task that it names is ours. */
  readonly unsigned?: true;
}

export interface DoorPorts {
  readonly secrets: readonly Secret[];
  readonly deployment: string;
  readonly host: GatewayHost;
  readonly clock: Clock;
}

export class Door {
  readonly #ports: DoorPorts;
  /** Tasks whose dial is being decided. */
  readonly #busy = new Set<TaskKey>();
  /** Until when, in the order in which they were barred, which is that of their ends. */
  readonly #barred = new Map<TaskKey, number>();

  constructor(ports: DoorPorts) {
    this.#ports = ports;
  }

  /**
   * Decides about a dial. `open` is the task's open socket, if there is one; `enter` answers the
   * upgrade and is called in the same turn as the decision, so that no twin slips in between.
   * Resolves with the refusal, or null when `enter` was called.
   */
  async decide(
    request: IncomingMessage,
    open: (key: TaskKey) => WorkerSocket | undefined,
    enter: (key: TaskKey) => void,
  ): Promise<Refused | null> {
    if (!isAgentPath(request.url)) return refused(404, 'not found: workers dial /agent');
    const { secrets, deployment } = this.#ports;
    const check = await verifyTaskToken(secrets, deployment, request.headers.authorization);
    if ('refused' in check) return this.#unproven(check);
    const { key } = check;
    const unwelcome = this.#unwelcome(key);
    if (unwelcome) return unwelcome;
    this.#busy.add(key);
    try {
      const twin = open(key);
      if (await twin?.answers(TWIN_PING_TIMEOUT_MS)) {
        return refused(409, 'this task has a live socket already', key);
      }
      twin?.drop('it does not answer, and its worker dialled again');
      enter(key);
      return null;
    } finally {
      this.#busy.delete(key);
    }
  }

  /** Refuses this task for a while: its worker would dial again at once, and break in again. */
  bar(key: TaskKey): void {
    const nowMs = this.#ports.clock.nowMs();
    for (const [other, untilMs] of this.#barred) if (untilMs <= nowMs) this.#barred.delete(other);
    this.#barred.delete(key);
    this.#barred.set(key, nowMs + BARRED_MS);
  }

  #unproven({ refused: reason, claims, unsigned }: RefusedToken): Refused {
    const refusal = refused(401, reason);
    if (claims === undefined) return refusal;
    const ours = this.#ports.host.admit(claims).answer === 'welcome';
    return { ...refusal, claims, ...(ours && unsigned && { unsigned }) };
  }

  #unwelcome(key: TaskKey): Refused | null {
    const admission = this.#ports.host.admit(key);
    if (admission.answer === 'gone') return refused(410, admission.reason, key);
    if (admission.answer === 'not-yet') return refused(503, admission.reason, key);
    if ((this.#barred.get(key) ?? 0) > this.#ports.clock.nowMs()) {
      return refused(403, 'this worker broke the protocol; the launcher logged how', key);
    }
    if (this.#busy.has(key))
      return refused(409, 'another dial of this task is being answered', key);
    return null;
  }
}

function refused(status: number, reason: string, key?: TaskKey): Refused {
  return { status, reason, key };
}
