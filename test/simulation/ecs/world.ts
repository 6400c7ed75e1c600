/**
 * A LiveKit, an account of ECS at its default rates, and the launcher between them, on one clock. All
 * is in this process, and a function of the seed.
 */
import type { Profile } from '../../../launcher/core/desired.ts';
import { isTaskKey } from '../../../launcher/driver.ts';
import { AGENT_CONTAINER } from '../../../launcher/drivers/ecs/request.ts';
import type { RoomNews } from '../../../launcher/reconcile/reconciler.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { FakeEcs, type FakeTask, type Timings } from '../../fakes/ecs/index.ts';
import { Dice } from '../dice.ts';
import { SimLiveKit, type SimRoom } from '../livekit.ts';
import { EcsAgent } from './agent.ts';
import { DEPLOYMENT, EcsLauncher } from './launcher.ts';
import { warmUp, Wire } from './wire.ts';

/** A start of 40 seconds: a large image, on Fargate. */
const TIMINGS: Partial<Timings> = {
  provisioningMs: 15_000,
  pendingMs: 24_000,
  activatingMs: 1_000,
};
/** How far ListTasks and DescribeTasks lag behind. */
const LIST_LAG_MS = 2_000;
const WEBHOOK_MS = 20;

export interface WorldOptions {
  readonly seed?: number;
  /** Does the launcher get hints of task state changes? */
  readonly hints?: boolean;
  /** Do tasks run our runner, which exits by itself? */
  readonly runner?: boolean;
  /** vCPUs that the account may run on Fargate at once; each task has one. */
  readonly vcpuQuota?: number;
}

export class EcsWorld {
  readonly clock = new FakeClock();
  readonly dice: Dice;
  readonly ecs: FakeEcs;
  readonly wire: Wire;
  readonly livekit: SimLiveKit;
  readonly profile: Profile;
  readonly cluster = 'rooms';
  readonly network = {
    subnets: ['subnet-a', 'subnet-b'],
    securityGroups: [],
    assignPublicIp: true,
    capacityProviders: [],
  } as const;
  readonly queueUrl: string | null;
  /** Tasks that nobody has stopped and that have not ended. */
  readonly running = new Set<string>();
  lastEndedAtMs = 0;
  readonly #agents = new Map<string, EcsAgent>();
  #launcher: EcsLauncher | undefined;

  constructor({ seed = 1, hints = true, runner = true, vcpuQuota = 1_000 }: WorldOptions = {}) {
    const { clock } = this;
    this.dice = new Dice(seed);
    this.ecs = new FakeEcs({ clock, timings: TIMINGS, listLagMs: LIST_LAG_MS });
    this.ecs.capacity.vcpuQuota = vcpuQuota;
    this.ecs.addCluster(this.cluster);
    this.ecs.register(TASK_DEFINITION);
    this.queueUrl = hints ? `https://sqs.example${this.ecs.addQueue().path}` : null;
    this.ecs.account.watchers.add((task, version) => this.#changed(task, version));
    this.ecs.account.onSigterm = ({ arn }) => this.#agent(arn).sigterm();
    this.wire = new Wire(this.ecs, clock, this.dice);
    const nowMs = () => clock.nowMs();
    const send = (news: RoomNews) => this.#webhook(news);
    this.livekit = new SimLiveKit({ nowMs, send, showLagMs: 0, hideLagMs: 0, seatLagMs: 0 });
    this.profile = profileOf(runner);
  }

  /** The launcher that runs now. */
  get launcher(): EcsLauncher | undefined {
    return this.#launcher?.alive ? this.#launcher : undefined;
  }

  async start(): Promise<EcsLauncher> {
    await warmUp();
    return (this.#launcher = await EcsLauncher.start(this));
  }

  /** A visitor opens a room. */
  open(name: string): SimRoom {
    const room = this.livekit.open(name);
    room.visited = true;
    return room;
  }

  /** Moves on by `ms`, or until `done`. */
  async advance(ms: number, done: () => boolean = () => false): Promise<void> {
    const endMs = this.clock.nowMs() + ms;
    await this.wire.quiet();
    while (!done() && (await this.clock.step(endMs))) await this.wire.quiet();
  }

  /** The launcher is killed; a new one starts `downMs` later. */
  restart(downMs: number): void {
    this.launcher?.kill();
    this.clock.timer(downMs, () => void this.start());
  }

  /** Live rooms with their agents in them. */
  served(): number {
    return this.livekit.live().filter((room) => this.livekit.seated(room).length > 0).length;
  }

  /** How long each live room waited for its agent; none is counted that still does. */
  waitsMs(): number[] {
    return this.livekit.live().flatMap(({ seats: [first], openedAtMs }) => {
      return first === undefined ? [] : [first.sinceMs - openedAtMs];
    });
  }

  #changed(task: FakeTask, version: number): void {
    const { desiredStatus, executionStoppedAtMs } = task.stateOf(version);
    if (version === 1) this.#launched(task);
    if (desiredStatus === 'RUNNING') this.running.add(task.arn);
    else this.running.delete(task.arn);
    this.lastEndedAtMs = executionStoppedAtMs ?? this.lastEndedAtMs;
  }

  #launched(task: FakeTask): void {
    const key = task.facts.startedBy?.slice(`${DEPLOYMENT}/`.length) ?? '';
    if (!isTaskKey(key)) return;
    const agent = new EcsAgent(this, key, task.arn);
    this.#agents.set(task.arn, agent);
    const { provisioningMs, pendingMs } = this.ecs.account.timings;
    this.clock.timer(provisioningMs + pendingMs, () => agent.start());
  }

  #agent(taskArn: string): EcsAgent {
    return this.#agents.get(taskArn)!;
  }

  /** Lost, if no launcher is there to take it. */
  #webhook(news: RoomNews): void {
    this.clock.timer(WEBHOOK_MS, () => this.launcher?.heard(news));
  }
}

const TASK_DEFINITION = {
  family: 'agent',
  networkMode: 'awsvpc' as const,
  requiresCompatibilities: ['FARGATE' as const],
  cpu: '1024',
  memory: '2048',
  containerDefinitions: [{ name: AGENT_CONTAINER, image: 'agent:1' }],
};

function profileOf(runner: boolean): Profile {
  return {
    name: 'default',
    template: 'agent:1',
    ...(runner && { runner }),
    cpu: 1,
    memoryMiB: 2_048,
    retries: 3,
    startDeadlineMs: 600_000,
    joinDeadlineMs: 60_000,
    maxLifetimeMs: 24 * 3_600_000,
    shutdownTimeoutMs: 60_000,
  };
}
