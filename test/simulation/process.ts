/**
 * One launcher process: the real reconciler and the real assignments, with ports that can be slow,
 * fail, or lose their answer, and that never answer a dead process.
 */
import { AvailabilityResponse } from '@livekit/protocol';
import type { Profile } from '../../launcher/core/desired.ts';
import { memoryDriver } from '../../launcher/drivers/memory.ts';
import {
  type Driver,
  DriverError,
  isTaskKey,
  type LaunchResult,
  type TaskId,
  type TaskKey,
} from '../../launcher/driver.ts';
import { Assignments } from '../../launcher/gateway/assignments.ts';
import type { SocketChange } from '../../launcher/gateway/ports.ts';
import type { ServerFrame } from '../../launcher/gateway/wire.ts';
import type { Clock } from '../../launcher/lib/clock.ts';
import { Reconciler } from '../../launcher/reconcile/reconciler.ts';
import type { SimAgent } from './agent.ts';
import type { Fault } from './story.ts';
import type { SimWorld } from './world.ts';

export const DEPLOYMENT = 'sim';
export const PROFILE: Profile = {
  name: 'default',
  template: 'agent',
  cpu: 1,
  memoryMiB: 1024,
  retries: 3,
  startDeadlineMs: 60_000,
  joinDeadlineMs: 20_000,
  maxLifetimeMs: 24 * 3_600_000,
  shutdownTimeoutMs: 10_000,
};
export const BOUNDS = { perSecond: 20, perNamePerMinute: 20 };

const FRAME_MS = 2;
const mintToken = () => Promise.resolve('a token');

export class SimProcess {
  readonly reconciler: Reconciler;
  readonly startedAtMs: number;
  alive = true;
  /** It was asked to end in order. */
  leaving = false;
  /** When the newest list of tasks that it was given began. */
  listBegunAtMs = -Infinity;
  /** Rooms' tasks that came to be by a launch of its own. */
  readonly created = new Set<TaskKey>();
  /** Tasks whose end it began. */
  readonly ending = new Set<TaskKey>();
  /** Tasks whose end it asked for, carried out or not, and when first. */
  readonly askedToEnd = new Map<TaskKey, number>();
  /** Tasks that it caused or was shown, and since when. */
  readonly shown = new Map<TaskId, number>();
  readonly #world: SimWorld;
  readonly #assignments: Assignments;
  readonly #sockets = new Map<TaskKey, SimAgent>();
  readonly #timers = new Set<() => void>();

  constructor(world: SimWorld) {
    this.#world = world;
    this.startedAtMs = world.clock.nowMs();
    const { clock, log } = { clock: this.#clock(), log: world.logOf(world.processes.length + 1) };
    const { livekit, resyncMs } = { livekit: this.#livekit(), resyncMs: world.story.resyncMs };
    this.reconciler = new Reconciler({
      livekit,
      driver: this.#driver(),
      sockets: {
        offer: (key) => {
          world.oracle.offers(this, key);
          this.#assignments.get(key)?.offer();
        },
        withdraw: (key) => this.#assignments.get(key)?.withdraw() ?? true,
        terminate: (key) => this.#terminate(key),
        account: () => 'simulated',
      },
      profiles: {
        list: [{ ...PROFILE, standby: world.story.standby }],
        unmatched: { ...PROFILE, name: '', launch: false },
      },
      bounds: { ...BOUNDS, inFlight: world.story.inFlight },
      resyncMs,
      taskLivekitUrl: 'ws://livekit.example',
      taskEnv: (key) => ({ LIVEKIT_API_KEY: key }),
      clock,
      log,
      random: () => world.dice.between(0, 99_999_999, 'standby') / 1e8,
    });
    const host = {
      admit: (key: TaskKey) => this.reconciler.handOver.admit(key),
      look: (key: TaskKey, signal: AbortSignal) => this.reconciler.handOver.look(key, signal),
      changed: (key: TaskKey, change: SocketChange) => this.reconciler.socketChanged(key, change),
    };
    const taskLivekitUrl = 'ws://livekit.example';
    this.#assignments = new Assignments({ host, mintToken, taskLivekitUrl, clock, log });
  }

  /** kill -9. Its sockets break, its calls that are under way may still be carried out. */
  kill(): void {
    this.alive = false;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    for (const agent of sockets) agent.lostLauncher();
  }

  /** SIGTERM: it finishes what it is at, then it is gone. */
  async end(): Promise<void> {
    this.leaving = true;
    await this.reconciler.stop();
    if (this.alive) this.kill();
  }

  /** What the gateway's door says to a dial. */
  admits(agent: SimAgent): 'welcome' | 'gone' | 'not-yet' {
    const { answer } = this.reconciler.handOver.admit(agent.key);
    if (answer === 'gone') this.#assignments.forget(agent.key);
    return answer;
  }

  registered(agent: SimAgent, jobId: string | undefined): void {
    const { key } = agent;
    this.#sockets.set(key, agent);
    this.#assignments.connect(key, {
      id: `AW_${key}`,
      agentName: '',
      permissions: undefined,
      registeredAtMs: this.#world.clock.nowMs(),
      jobId,
      send: (frame) => this.#send(agent, frame),
    });
    this.reconciler.socketChanged(key, 'registered');
  }

  answered(agent: SimAgent, jobId: string, available: boolean): void {
    this.#world.clock.timer(FRAME_MS, () => {
      if (!this.alive || this.#sockets.get(agent.key) !== agent) return;
      if (!available) this.#world.oracle.pool.refuses(this, agent.key);
      const answer = new AvailabilityResponse({ jobId, available });
      this.#assignments.get(agent.key)?.onAnswer(answer);
    });
  }

  hungUp(agent: SimAgent): void {
    if (!this.alive || this.#sockets.get(agent.key) !== agent) return;
    this.#sockets.delete(agent.key);
    this.#assignments.disconnect(agent.key);
    this.reconciler.socketChanged(agent.key, 'closed');
  }

  #send(agent: SimAgent, frame: ServerFrame): void {
    const handsOver = frame.case === 'availability' || frame.case === 'assignment';
    if (handsOver) this.#world.crashPoint(this, 'before-frame');
    if (!this.alive) return;
    if (frame.case === 'assignment') this.#world.oracle.assigned(this, agent, frame.value.job);
    this.#world.clock.timer(FRAME_MS, () => agent.received(frame, this));
    if (handsOver) this.#world.crashPoint(this, 'after-frame');
  }

  #terminate(key: TaskKey): boolean {
    this.#world.oracle.asksToEnd(this, key);
    this.#world.oracle.ends(this, key, 'JobTermination');
    return this.#assignments.end(key);
  }

  #clock(): Clock {
    const { clock } = this.#world;
    return {
      nowMs: () => clock.nowMs(),
      timer: (delayMs, fire) => {
        if (!this.alive) return () => {};
        const forget = () => {
          this.#timers.delete(drop);
          cancel();
        };
        const cancel = clock.timer(delayMs, () => {
          this.#timers.delete(drop);
          fire();
        });
        const drop = cancel;
        this.#timers.add(drop);
        return forget;
      },
    };
  }

  #livekit() {
    const { livekit, faults } = this.#world;
    const rooms = { fail: 'rooms-fail', slow: 'rooms-slow' } as const;
    const seats = { fail: 'participants-fail', slow: 'participants-slow' } as const;
    return {
      listRooms: (signal: AbortSignal, name?: string) =>
        this.#call(signal, rooms, async () =>
          livekit.list(name).filter((room) => !faults.hits('rooms-miss', room.sid)),
        ),
      listParticipants: (name: string, signal: AbortSignal) =>
        this.#call(signal, seats, async () => livekit.participants(name)),
      roomInfo: (name: string, signal: AbortSignal) =>
        this.#call(signal, rooms, async () => livekit.info(name)),
      dispatchOf: (_name: string, _agentName: string, signal: AbortSignal) =>
        this.#call(signal, rooms, async () => null),
    };
  }

  #driver(): Driver {
    const { engine, oracle, faults, story } = this.#world;
    const driver = memoryDriver(engine, { deployment: DEPLOYMENT });
    const never = new AbortController().signal;
    const { traits } = driver;
    const hint = (nudge: () => void) => () => {
      if (!faults.hits('hints-lost', 'hint') && this.alive) nudge();
    };
    return {
      traits,
      [Symbol.asyncDispose]: () => driver[Symbol.asyncDispose](),
      ...(story.engine.hints && { watch: (nudge: () => void) => driver.watch!(hint(nudge)) }),
      launch: (request, signal) => {
        oracle.asks(this, request.key);
        const askedAtMs = this.#world.clock.nowMs();
        return this.#launch(signal, async () => {
          const refused = this.#refusal(request.key);
          if (refused && !this.#world.taskOf(request.key)) return refused;
          oracle.launches(this, request.key, askedAtMs);
          const result = await driver.launch(request, never);
          if (result.outcome === 'accepted') this.#show(result.task.taskId);
          return result;
        });
      },
      list: async (signal) => {
        const begunAtMs = this.#world.clock.nowMs();
        const how = { fail: 'list-fail', slow: 'list-slow' } as const;
        const tasks = await this.#call(signal, how, () => driver.list(never));
        for (const { taskId } of tasks) this.#show(taskId);
        this.listBegunAtMs = begunAtMs;
        return tasks;
      },
      stop: (id, options, signal) => {
        const key = engine.tasks.get(id)?.key;
        if (key !== undefined && isTaskKey(key)) oracle.asksToEnd(this, key);
        return this.#call(signal, { fail: 'stop-fail', slow: 'list-slow' }, async () => {
          if (key !== undefined && isTaskKey(key)) oracle.ends(this, key, 'stop');
          return driver.stop(id, options, never);
        });
      },
      remove: (id, signal) =>
        this.#call(signal, { fail: 'stop-fail', slow: 'list-slow' }, async () => {
          oracle.removes(this, id);
          return driver.remove(id, never);
        }),
    };
  }

  #show(id: TaskId): void {
    if (this.alive && !this.shown.has(id)) this.shown.set(id, this.#world.clock.nowMs());
  }

  #refusal(key: TaskKey): Extract<LaunchResult, { outcome: 'refused' }> | null {
    const { faults, dice, oracle } = this.#world;
    if (!faults.hits('launch-refused', key)) return null;
    const retry = dice.pick(['same-key', 'same-key', 'next-key'] as const, `refusal ${key}`);
    oracle.refused(key);
    return { outcome: 'refused', reason: 'capacity', retry, detail: 'no room on the machine' };
  }

  async #launch(signal: AbortSignal, work: () => Promise<LaunchResult>): Promise<LaunchResult> {
    const lost = this.#world.faults.hits('launch-lost', 'answer');
    try {
      const result = await this.#call(signal, { slow: 'launch-slow' }, work);
      return lost ? { outcome: 'unknown', detail: 'the answer was lost' } : result;
    } catch {
      return { outcome: 'unknown', detail: 'no answer' };
    }
  }

  /** One call on its way and back. A dead process hears nothing any more. */
  #call<T>(
    signal: AbortSignal,
    { fail, slow }: { readonly fail?: Fault; readonly slow?: Fault },
    work: () => Promise<T>,
  ): Promise<T> {
    const { clock, faults, dice } = this.#world;
    this.#world.steps += 1;
    this.#world.crashPoint(this, 'before-call');
    if (!this.alive) return new Promise<T>(() => {});
    const slowMs = slow && faults.hits(slow, 'call') ? dice.between(500, 70_000, slow) : 0;
    return new Promise<T>((resolve, reject) => {
      const say = (then: () => void) => this.alive && then();
      const abort = () => say(() => reject(signal.reason as Error));
      signal.addEventListener('abort', abort, { once: true });
      const carryOut = async () => {
        if (fail && faults.hits(fail, 'call')) throw new DriverError('unavailable', 'no answer');
        const result = await work();
        this.#world.crashPoint(this, 'after-call');
        return result;
      };
      const back = (then: () => void) => clock.timer(1 + Math.floor(slowMs / 2), () => say(then));
      clock.timer(1 + Math.ceil(slowMs / 2), () => {
        carryOut().then(
          (result) => back(() => resolve(result)),
          (error: Error) => back(() => reject(error)),
        );
      });
    });
  }
}
