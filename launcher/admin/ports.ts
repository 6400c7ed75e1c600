/** What the admin listener asks of the rest of the launcher; the composition root hands it in. */
import type { RunState } from '../core/remembered.ts';
import type { Phase } from '../driver.ts';

export interface AdminHost {
  /** Whether the process is well, for `/healthz`: never depends on LiveKit or the engine. */
  healthy(): boolean;
  ready(): Readiness;
  rooms(): readonly RoomRow[];
  tasks(): readonly TaskRow[];
  /** Ends the task that serves the room of this name. */
  stopRoom(name: string): Promise<StopAnswer>;
  /** Ends one task. Any text may come in: what is no key of a task is `unknown`. */
  stopTask(key: string): Promise<StopAnswer>;
}

export type StopAnswer = 'accepted' | 'unknown' | 'nothing-to-stop';

export interface Readiness {
  /** First complete pass done (stays true) and gateway listening. */
  readonly ready: boolean;
  readonly firstPassDone: boolean;
  readonly gatewayListening: boolean;
  readonly livekit: PartState;
  readonly engine: PartState;
}

/** Something that the launcher depends on; it being down does not make the launcher unready. */
export interface PartState {
  /** `unknown`: not asked yet. */
  readonly state: 'up' | 'down' | 'unknown';
  /** ISO time since when it is down. */
  readonly since: string | null;
  readonly reason: string | null;
}

/** A live room, or one that is over and still has a task. Times are ISO. */
export interface RoomRow {
  readonly name: string;
  readonly sid: string;
  /** The profile that serves it; null when none does. */
  readonly profile: string | null;
  readonly state: RunState;
  /** Why it is in this state, in one line. */
  readonly reason: string;
  /** Launches so far. */
  readonly attempts: number;
  /** Key of the newest task. */
  readonly task: string | null;
  readonly createdAt: string | null;
}

/** A task as the engine lists it, with what this launcher knows of it. Times are ISO. */
export interface TaskRow {
  /** Null for a damaged task, which is shown and never touched. */
  readonly key: string | null;
  readonly taskId: string;
  readonly sid: string | null;
  readonly attempt: number | null;
  /** Of a live task that waits for a room to come: can it take one now? Null: it has one. */
  readonly standby: 'ready' | 'not-ready' | null;
  readonly phase: Phase;
  readonly verdict: string | null;
  readonly exitCode: number | null;
  /** Why it ended or is being ended, in one line; empty while it simply runs. */
  readonly reason: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** State of its gateway socket; null without one. */
  readonly socket: string | null;
}
