/** What the admin listener asks of the rest of the launcher; the composition root hands it in. */
import type { RunState } from '../core/remembered.ts';
import type { LogsOptions, Output, Phase } from '../driver.ts';
import type { Told } from '../lib/log.ts';

export interface AdminHost {
  /** Whether the process is well, for `/healthz`: never depends on LiveKit or the engine. */
  healthy(): boolean;
  ready(): Readiness;
  rooms(): readonly RoomRow[];
  tasks(): readonly TaskRow[];
  readonly events: EventSource;
  /** For `/metrics`, as of now. Names no room. */
  metrics(): Promise<Exposition>;
  readonly dashboard: DashboardSource;
  /** The name of a room that is remembered; events name rooms by their sid alone. */
  roomName(sid: string): string | null;
  /** Ends the task that serves the live room of this sid, or else of this name. */
  stopRoom(nameOrSid: string): Promise<StopAnswer>;
  /** Ends one task. Any text may come in: what is no key of a task is `unknown`. */
  stopTask(key: string): Promise<StopAnswer>;
  /** What a task has written; null when there is no such task. Rejects with `DriverError`. */
  logs(key: string, options: LogsOptions, signal: AbortSignal): Promise<Output | null>;
}

/** Metrics as Prometheus reads them. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** What the dashboard shows beside rooms, tasks and events. */
export interface DashboardSource {
  about(): About;
  /** When each step of a task's way into its room was; undefined: nothing was heard of it. */
  startUp(task: string): StartUp | undefined;
  /** The newest of them, oldest first. */
  startUps(): readonly StartUp[];
  /** What was counted in each of the last minutes, oldest first. */
  minutes(): readonly Minute[];
  /** What running tasks use, where the engine can say; it rejects when the engine does not answer. */
  readonly usage?: (taskIds: readonly string[], signal: AbortSignal) => Promise<readonly Usage[]>;
}

export interface About {
  readonly deployment: string;
  /** The engine's name. */
  readonly engine: string;
  readonly webhookListen: string;
  /** Profiles that keep standbys, with how many. */
  readonly standbysWanted: ReadonlyMap<string, number>;
}

/** Unix times in milliseconds; a step that this launcher did not see is missing. */
export interface StartUp {
  readonly attempt?: number;
  readonly heardAtMs?: number;
  readonly launchedAtMs?: number;
  readonly acceptedAtMs?: number;
  readonly registeredAtMs?: number;
  readonly assignedAtMs?: number;
  readonly activeAtMs?: number;
}

export interface Minute {
  /** Its beginning, Unix time. */
  readonly atMs: number;
  /** By `<event> <outcome>`, for example `task.end served`. */
  readonly counts: ReadonlyMap<string, number>;
}

export interface Usage {
  readonly taskId: string;
  /** Processor time since its start. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** A wide event with its place in the order in which they were told. */
export interface NumberedEvent extends Told {
  /** Rises, also from one life of a launcher to the next. */
  readonly number: number;
}

/** What the launcher told lately. */
export interface EventSource {
  /** Those that are kept and came after this number, oldest first. */
  since(number?: number): readonly NumberedEvent[];
  /** Calls back for each event from now on, of every level; the returned function ends it. */
  subscribe(subscriber: (event: NumberedEvent) => void): () => void;
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
  /** Who was in it when LiveKit last said, agents left out; null: it did not say yet. */
  readonly participants: number | null;
  /** Agents that were in it beside ours, at the newest look. */
  readonly otherAgents: number;
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
