/**
 * One launcher process: the real reconciler, the real assignments, and the real driver for ECS on the
 * unmodified SDK, which reaches the fake over the wire.
 */
import { AvailabilityResponse } from '@livekit/protocol';
import type { Driver, TaskKey } from '../../../launcher/driver.ts';
import { ecsDriver } from '../../../launcher/drivers/ecs/driver.ts';
import { Assignments } from '../../../launcher/gateway/assignments.ts';
import type { SocketChange } from '../../../launcher/gateway/ports.ts';
import type { Clock } from '../../../launcher/lib/clock.ts';
import type { Log } from '../../../launcher/lib/log.ts';
import { Reconciler } from '../../../launcher/reconcile/reconciler.ts';
import { CREDENTIALS } from '../../fakes/ecs/index.ts';
import { silent } from '../run.ts';
import type { EcsAgent } from './agent.ts';
import type { EcsWorld } from './world.ts';

export const DEPLOYMENT = 'sim';
const LAUNCHES_PER_NAME_PER_MINUTE = 20;
const RESYNC_MS = 30_000;
/** Of LiveKit's server API, one way. */
const LIVEKIT_MS = 10;
const FRAME_MS = 20;
const LIVEKIT_URL = 'ws://livekit.example';

const mintToken = () => Promise.resolve('a token');

/** One full look at both lists. */
export interface FullPass {
  readonly atMs: number;
  readonly tookMs: number;
}

export class EcsLauncher {
  alive = true;
  readonly fullPasses: FullPass[] = [];
  readonly #world: EcsWorld;
  readonly #clock: Clock;
  readonly #timers = new Set<() => void>();
  readonly #sockets = new Map<TaskKey, EcsAgent>();
  #reconciler!: Reconciler;
  #assignments!: Assignments;

  private constructor(world: EcsWorld) {
    this.#world = world;
    this.#clock = this.#mortal(world.clock);
  }

  /** Resolves when it is wired; its first pass goes on. */
  static async start(world: EcsWorld): Promise<EcsLauncher> {
    const launcher = new EcsLauncher(world);
    launcher.#wire(await launcher.#driver());
    void launcher.#reconciler.start();
    return launcher;
  }

  /** kill -9: nobody hears the answers of its calls, which may still be carried out. */
  kill(): void {
    this.alive = false;
    for (const cancel of this.#timers) cancel();
    for (const agent of this.#sockets.values()) agent.lostLauncher();
  }

  heard(...news: Parameters<Reconciler['heard']>): void {
    this.#reconciler.heard(...news);
  }

  /** What the gateway's door says to a dial. */
  admits({ key }: EcsAgent): 'welcome' | 'gone' | 'not-yet' {
    return this.#reconciler.handOver.admit(key).answer;
  }

  registered(agent: EcsAgent, jobId: string | undefined): void {
    const { key } = agent;
    this.#sockets.set(key, agent);
    this.#assignments.connect(key, {
      id: `AW_${key}`,
      agentName: '',
      permissions: undefined,
      registeredAtMs: this.#clock.nowMs(),
      jobId,
      send: (frame) => this.#clock.timer(FRAME_MS, () => agent.received(frame, this)),
    });
    this.#reconciler.socketChanged(key, 'registered');
  }

  answered({ key }: EcsAgent, jobId: string): void {
    this.#clock.timer(FRAME_MS, () => {
      this.#assignments.get(key)?.onAnswer(new AvailabilityResponse({ jobId, available: true }));
    });
  }

  hungUp({ key }: EcsAgent): void {
    if (!this.alive) return;
    this.#sockets.delete(key);
    this.#assignments.disconnect(key);
    this.#reconciler.socketChanged(key, 'closed');
  }

  #wire(driver: Driver): void {
    const clock = this.#clock;
    const { profile } = this.#world;
    const log = this.#log();
    this.#reconciler = new Reconciler({
      livekit: this.#livekit(),
      driver,
      sockets: {
        terminate: (key) => this.#assignments.end(key),
        // Of standbys, of which there are none.
        offer: () => {},
        withdraw: () => true,
        account: () => 'simulated',
      },
      random: () => 0,
      profiles: { list: [profile], unmatched: { ...profile, name: '', launch: false } },
      bounds: { ...driver.traits.launches, perNamePerMinute: LAUNCHES_PER_NAME_PER_MINUTE },
      resyncMs: RESYNC_MS,
      taskLivekitUrl: LIVEKIT_URL,
      taskEnv: (key) => ({ LIVEKIT_API_KEY: key }),
      clock,
      log,
    });
    const { handOver } = this.#reconciler;
    const host = {
      admit: (key: TaskKey) => handOver.admit(key),
      look: (key: TaskKey, signal: AbortSignal) => handOver.look(key, signal),
      changed: (key: TaskKey, change: SocketChange) => this.#reconciler.socketChanged(key, change),
    };
    this.#assignments = new Assignments({
      host,
      mintToken,
      taskLivekitUrl: LIVEKIT_URL,
      clock,
      log,
    });
  }

  #driver(): Promise<Driver> {
    const { cluster, network, queueUrl, ecs, wire } = this.#world;
    return ecsDriver({
      deployment: DEPLOYMENT,
      cluster,
      network,
      eventsQueueUrl: queueUrl,
      clock: this.#clock,
      log: silent,
      sdk: {
        region: ecs.account.region,
        credentials: CREDENTIALS,
        requestHandler: wire.handler(() => this.alive),
      },
    });
  }

  #livekit() {
    const { livekit } = this.#world;
    const call = async <T>(work: () => T): Promise<T> => {
      await this.#way();
      const answer = work();
      await this.#way();
      return answer;
    };
    return {
      listRooms: (_signal: AbortSignal, name?: string) => call(() => livekit.list(name)),
      listParticipants: (name: string) => call(() => livekit.participants(name)),
      roomInfo: (name: string) => call(() => livekit.info(name)),
      dispatchOf: () => call(() => null),
    };
  }

  #way(): Promise<void> {
    return new Promise((resolve) => this.#clock.timer(LIVEKIT_MS, resolve));
  }

  /** Keeps of it what tells of full passes: a pass over one room names its sid. */
  #log(): Log {
    return {
      ...silent,
      event: (name, fields) => {
        if (name !== 'pass.run' || typeof fields['rooms'] !== 'number') return;
        const tookMs = Number(fields['took_ms']);
        this.fullPasses.push({ atMs: this.#clock.nowMs() - tookMs, tookMs });
      },
    };
  }

  /** The world's clock, with timers that die with this process. */
  #mortal(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      timer: (delayMs, fire) => {
        if (!this.alive) return () => {};
        // As Node's: whole milliseconds.
        const cancel = clock.timer(Math.ceil(delayMs), () => {
          this.#timers.delete(cancel);
          fire();
        });
        this.#timers.add(cancel);
        return () => {
          this.#timers.delete(cancel);
          cancel();
        };
      },
    };
  }
}
