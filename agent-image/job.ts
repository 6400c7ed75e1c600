/**
 * One job: the agent's entry in this process, and its orderly end.
 *
 * The order of the end is that of agents-js' own job process (`ipc/job_proc_lazy_main`), which
 * agents rely on: entry, session close, `onSessionEnd`, session report, leave the room, shutdown
 * callbacks, flush of logs and metrics, native dispose.
 */
import type { Job as JobInfo, JobAssignment } from '@livekit/protocol';
import type { JobAcceptArguments, JobContext, JobProcess } from '@livekit/agents';
import type { Room } from '@livekit/rtc-node';
import { bounded } from './bounded.ts';
import { endOfDisconnect } from './disconnect.ts';
import { type Ending, EXIT } from './ends.ts';
import type { Inference } from './inference.ts';
import { type ContextTools, jobContextClass } from './job-context.ts';
import type { LoadedAgent } from './load-agent.ts';
import { type RunnerLog, thrown } from './log.ts';
import { guardedRoom } from './room-guard.ts';
import { launchersContext } from './trace-context.ts';

/** The first three are agents-js' own limits. */
const ENTRY_LIMIT_MS = 15_000;
const SESSION_CLOSE_LIMIT_MS = 60_000;
const SESSION_END_LIMIT_MS = 300_000;
const SESSION_REPORT_LIMIT_MS = 60_000;
const DISCONNECT_LIMIT_MS = 10_000;
/** agents-js has none here; the launcher's SIGKILL usually comes first. */
const CALLBACKS_LIMIT_MS = 300_000;
const FLUSH_LIMIT_MS = 10_000;
/** An entry that has not joined its room by then is warned about. */
const JOIN_REMINDER_MS = 10_000;

export interface Assigned {
  readonly assignment: JobAssignment;
  readonly job: JobInfo;
  readonly workerId: string;
  readonly gateway: ContextTools['gateway'];
}

export interface JobTools {
  readonly loaded: LoadedAgent;
  readonly proc: JobProcess;
  readonly inference: Inference;
  readonly ending: Ending;
  readonly log: RunnerLog;
  joined(): void;
}

/** Identity and the rest of ourselves as the room's token has them: they cannot be others. */
export function acceptArgumentsOf(token: string): JobAcceptArguments {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  const claims: { sub?: string; name?: string; metadata?: string } & Pick<
    JobAcceptArguments,
    'attributes'
  > = JSON.parse(payload || '{}');
  const { sub = '', name = '', metadata = '', attributes = {} } = claims;
  return { identity: sub, name, metadata, attributes };
}

export class RunningJob {
  readonly #tools: JobTools;
  readonly #room: Room;
  readonly #ctx: JobContext;
  readonly #entry: Promise<void>;
  #joinState: 'outside' | 'joined' | 'failed' = 'outside';

  /** Starts the agent's entry. Its end, however it comes, goes to `tools.ending`. */
  constructor(assigned: Assigned, tools: JobTools) {
    this.#tools = tools;
    this.#room = this.#createRoom(assigned.job.room?.sid ?? '');
    this.#ctx = this.#createContext(assigned);
    this.#entry = this.#runEntry();
  }

  /** The end, in agents-js' order. Each step has a limit and failing ones do not stop the next. */
  async close(): Promise<void> {
    const { loaded, log } = this.#tools;
    const ctx = this.#ctx;
    await bounded('entry', ENTRY_LIMIT_MS, log, () => this.#entry);
    await loaded.agents.runWithJobContextAsync(ctx, async () => {
      await this.#closeSession();
      await bounded('leaving the room', DISCONNECT_LIMIT_MS, log, () => this.#room.disconnect());
      await bounded('shutdown callbacks', CALLBACKS_LIMIT_MS, log, () => this.#callBack());
    });
    const { flushOtelLogs, flushCloudMetrics } = loaded.agents.telemetry;
    await bounded('flush of logs', FLUSH_LIMIT_MS, log, flushOtelLogs);
    await bounded('flush of metrics', FLUSH_LIMIT_MS, log, flushCloudMetrics);
  }

  #createRoom(sid: string): Room {
    const { loaded, ending, log } = this.#tools;
    const room = guardedRoom(loaded.rtc, {
      sid,
      ended: () => ending.decided,
      joined: () => {
        this.#joinState = 'joined';
        this.#tools.joined();
      },
      foreign: (found) => {
        if (found) ending.end({ code: EXIT.served, reason: 'room gone: another has its name' });
        else ending.end({ code: EXIT.unreachable, reason: 'room sent no sid' });
        log.warn('left a room that is not ours', { room_sid: sid, found_sid: found });
      },
      joinFailed: () => {
        this.#joinState = 'failed';
      },
    });
    room.on(loaded.rtc.RoomEvent.Disconnected, (reason) => ending.end(endOfDisconnect(reason)));
    return room;
  }

  #createContext({ assignment, job, workerId, gateway }: Assigned): JobContext {
    const { loaded, proc, inference, ending, log } = this.#tools;
    const info = {
      acceptArguments: acceptArgumentsOf(assignment.token),
      // As it looks behind agents-js' fork: enums as names, 64-bit numbers as text.
      job: JSON.parse(JSON.stringify(job)),
      url: assignment.url || gateway.gatewayUrl,
      token: assignment.token,
      workerId,
    };
    const onShutdown = () => {
      ending.end({ code: EXIT.served, reason: 'ended by the agent' });
    };
    const Context = jobContextClass({ agents: loaded.agents, gateway, log });
    return new Context(proc, info, this.#room, () => {}, onShutdown, inference);
  }

  async #runEntry(): Promise<void> {
    const { loaded, ending, log } = this.#tools;
    const { tracer } = loaded.agents.telemetry;
    const context = launchersContext(this.#ctx.info.acceptArguments.attributes, loaded);
    const span = { name: 'job_entrypoint', ...(context && { context }) };
    const reminder = setTimeout(() => {
      if (this.#joinState === 'outside') log.warn('entry has not called ctx.connect() yet');
    }, JOIN_REMINDER_MS);
    try {
      await loaded.agents.runWithJobContextAsync(this.#ctx, () =>
        tracer.startActiveSpan(() => loaded.agent.entry(this.#ctx), span),
      );
    } catch (error) {
      const unjoined = this.#joinState === 'failed';
      const end = unjoined
        ? ({ code: EXIT.unreachable, reason: 'room could not be joined' } as const)
        : ({ code: EXIT.agentFailed, reason: 'entry failed' } as const);
      if (ending.end(end)) log.error(end.reason, thrown(error));
      else log.warn('entry failed while the job was ending', thrown(error));
    } finally {
      clearTimeout(reminder);
    }
  }

  /** Leans on two members that agents-js keeps for its own job process. */
  async #closeSession(): Promise<void> {
    const { loaded, log } = this.#tools;
    const ctx = this.#ctx;
    const session = ctx['_primaryAgentSession'];
    const closed =
      !session ||
      (await bounded('session close', SESSION_CLOSE_LIMIT_MS, log, () => session.close()));
    if (closed) {
      await bounded('onSessionEnd', SESSION_END_LIMIT_MS, log, () =>
        loaded.agent.onSessionEnd?.(ctx),
      );
    }
    await bounded('session report', SESSION_REPORT_LIMIT_MS, log, () => ctx['_onSessionEnd']());
  }

  /** All at once, as agents-js does; one that fails does not cut the others short. */
  async #callBack(): Promise<void> {
    const calls = this.#ctx.shutdownCallbacks.map(async (callback) => callback());
    for (const result of await Promise.allSettled(calls)) {
      if (result.status === 'rejected') {
        this.#tools.log.error('shutdown callback failed', thrown(result.reason));
      }
    }
  }
}
