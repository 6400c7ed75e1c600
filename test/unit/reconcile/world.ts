/** A launcher's reconciler on an engine in memory, a LiveKit in memory and a clock that tests move. */
import { memoryDriver, MemoryEngine } from '../../../launcher/drivers/memory.ts';
import type { Driver, TaskKey } from '../../../launcher/driver.ts';
import { Reconciler, type ReconcilerOptions } from '../../../launcher/reconcile/reconciler.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeLiveKit } from '../../fakes/livekit.ts';
import { RecordedLog } from '../../fakes/log.ts';
import { NO_PROFILE, PROFILE } from '../core/plan-world.ts';

const SETTLE_MS = 100;

export class World {
  readonly clock = new FakeClock();
  readonly livekit = new FakeLiveKit(() => this.clock.nowMs());
  readonly engine: MemoryEngine;
  readonly log = new RecordedLog();
  /** Tasks whose job was ended over their socket. */
  readonly terminated: TaskKey[] = [];
  /** Standbys that were given a room, in that order. */
  readonly offered: TaskKey[] = [];
  /** Tasks whose open offer, if there was one, was taken back. */
  readonly withdrawn: TaskKey[] = [];
  /** Standbys whose workers have said yes to an offer. */
  readonly accepted = new Set<TaskKey>();
  #made = 0;
  readonly #launchers = new Set<Reconciler>();

  constructor(engine: { startDelayMs?: number; listLagMs?: number } = {}) {
    this.engine = new MemoryEngine({ nowMs: () => this.clock.nowMs(), ...engine });
  }

  /** A launcher process; ready once its first pass was done. */
  async launcher(options: Partial<ReconcilerOptions> & { deployment?: string } = {}) {
    const { deployment = 'us', ...rest } = options;
    const reconciler = new Reconciler({
      livekit: this.livekit,
      driver: memoryDriver(this.engine, { deployment }),
      sockets: {
        offer: (key) => void this.offered.push(key),
        withdraw: (key) => this.withdrawn.push(key) > 0 && !this.accepted.has(key),
        terminate: (key) => this.terminated.push(key) > 0,
        account: () => 'its worker slept',
      },
      profiles: { list: [PROFILE], unmatched: NO_PROFILE },
      bounds: { inFlight: 4, perSecond: 100, perNamePerMinute: 20 },
      resyncMs: 30_000,
      taskLivekitUrl: 'ws://livekit.example',
      taskEnv: (key) => ({ LIVEKIT_API_KEY: key }),
      clock: this.clock,
      log: this.log,
      random: () => (this.#made += 1) / 1e8,
      ...rest,
    });
    this.#launchers.add(reconciler);
    await reconciler.start();
    await this.settle();
    return reconciler;
  }

  /** An engine that lists one task of room a as starting for ever, and refuses every launch. */
  stubborn(): Driver {
    this.engine.create('us', 'r-RM_a-1', { template: '/agent.js', env: {} });
    const detail = 'the agent file is gone';
    return {
      ...memoryDriver(this.engine, { deployment: 'us' }),
      launch: async () => ({ outcome: 'refused', reason: 'invalid', retry: 'never', detail }),
    };
  }

  /** Lets passes that were nudged run. */
  settle(): Promise<void> {
    return this.clock.advance(SETTLE_MS);
  }

  /** LiveKit's webhook about a room that is (or was) live. */
  async webhook(launcher: Reconciler, event: string, name: string, sid = `RM_${name}`) {
    launcher.heard({ event, roomName: name, sid });
    await this.settle();
  }

  /** `key:phase` of every task, in the order of their launches. */
  tasks(deployment = 'us'): string[] {
    const nowMs = this.clock.nowMs();
    return [...this.engine.tasks.values()]
      .filter((task) => task.deployment === deployment)
      .map((task) => `${task.key}:${task.endsAtMs <= nowMs ? 'ended' : 'live'}`);
  }

  finish(key: string, code: number | null): void {
    const task = [...this.engine.tasks.values()].find((each) => each.key === key);
    this.engine.finish(task!.id, code);
  }

  said(text: string): number {
    return this.log.lines.filter((line) => line.text === text).length;
  }

  async end(): Promise<void> {
    for (const launcher of this.#launchers) await launcher.stop();
  }
}
