/**
 * One life: load the agent, prewarm, wait for the job, run it, end.
 *
 *     loading ─▶ prewarming ─▶ waiting ─▶ in the job ─▶ closing ─▶ exit
 *
 * Whatever happens first decides the end (`Ending`), from any of these; closing undoes just what
 * had begun.
 */
import { JobStatus } from '@livekit/protocol';
import { bounded } from './bounded.ts';
import { type End, type Ending, EXIT } from './ends.ts';
import { GatewayClient } from './gateway-client.ts';
import { createInference } from './inference.ts';
import { RunningJob } from './job.ts';
import { isTested, type LoadedAgent } from './load-agent.ts';
import { type RunnerLog, thrown, type Timeline } from './log.ts';
import { rest } from './rest.ts';
import { type Settings, StartError } from './start.ts';

const DISPOSE_LIMIT_MS = 3_000;

export interface RunnerTools {
  /** Loads the agent: `loadAgent` with its file. */
  readonly load: () => Promise<LoadedAgent>;
  readonly ending: Ending;
  readonly log: RunnerLog;
  readonly timeline: Timeline;
}

export class Runner {
  readonly #settings: Settings;
  readonly #tools: RunnerTools;
  #loaded: LoadedAgent | null = null;
  #gateway: GatewayClient | null = null;
  #job: RunningJob | null = null;
  #rested = false;
  /** The room came, or the end. */
  readonly #called = new AbortController();

  constructor(settings: Settings, tools: RunnerTools) {
    this.#settings = settings;
    this.#tools = tools;
  }

  /** Resolves with the end, everything closed. Never rejects. */
  async run(): Promise<End> {
    void this.#start();
    const end = await this.#tools.ending.reached;
    this.#tools.timeline.mark('ending');
    this.#tools.log.info('runner.ending', { code: end.code, reason: end.reason });
    await this.#close(end);
    return end;
  }

  async #start(): Promise<void> {
    const { load, ending, log, timeline } = this.#tools;
    const loaded = await this.#try('agent file failed at import', load);
    if (!loaded || ending.decided) return;
    this.#loaded = loaded;
    timeline.mark('imported');
    const { agent, agents } = loaded;
    if (!isTested(agents.version)) {
      log.warn('this release of @livekit/agents was not tested', { version: agents.version });
    }
    agents.initializeLogger({ pretty: false, level: this.#settings.logLevel });
    const proc = new agents.JobProcess();
    const inference = createInference(loaded.models, loaded.ownModels);
    const warm = await this.#try('prewarm failed', async () => {
      await agent.prewarm?.(proc);
      await inference.warm();
      return true;
    });
    if (!warm || ending.decided) return;
    timeline.mark('prewarmed');
    const gateway = new GatewayClient(this.#settings, agents.version, log, {
      registered: () => {
        timeline.mark('registered');
        this.#rest(loaded);
      },
      end: (end) => ending.end(end),
      assigned: (assignment, job, workerId) => {
        this.#called.abort();
        if (ending.decided) return;
        timeline.mark('assigned');
        const joined = () => {
          timeline.mark('connected');
          gateway.report(JobStatus.JS_RUNNING);
          log.info('runner.started', timeline.fields());
        };
        this.#job = new RunningJob(
          { assignment, job, workerId, gateway: this.#settings },
          { loaded, proc, inference, ending, log, joined },
        );
      },
    });
    this.#gateway = gateway;
  }

  /** Once: a gateway that is back registers us again. */
  #rest({ rtc }: LoadedAgent): void {
    if (this.#rested) return;
    this.#rested = true;
    void rest(rtc, this.#tools.log, this.#called.signal);
  }

  /** A step of the agent's own code. Null when it failed, which is then the end. */
  async #try<T>(failure: string, step: () => Promise<T>): Promise<T | null> {
    try {
      return await step();
    } catch (error) {
      if (error instanceof StartError) {
        this.#tools.log.error(error.message);
        this.#tools.ending.end({ code: EXIT.badStart, reason: 'bad start configuration' });
      } else {
        this.#tools.log.error(failure, thrown(error));
        this.#tools.ending.end({ code: EXIT.agentFailed, reason: failure });
      }
      return null;
    }
  }

  async #close(end: End): Promise<void> {
    this.#called.abort();
    if (this.#job) {
      await this.#job.close();
      const good = end.code === EXIT.served;
      const status = good ? JobStatus.JS_SUCCESS : JobStatus.JS_FAILED;
      this.#gateway?.report(status, good ? '' : end.reason);
    }
    await this.#gateway?.close();
    const rtc = this.#loaded?.rtc;
    if (rtc) {
      await bounded('native dispose', DISPOSE_LIMIT_MS, this.#tools.log, () => rtc.dispose());
    }
  }
}
