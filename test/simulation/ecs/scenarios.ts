/** What is asked of the launcher on ECS at an account's default rates, and what comes of it. */
import { callsOf, type Launches, launchesOf, quantile, quotaLimitMs } from './figures.ts';
import { DEPLOYMENT } from './launcher.ts';
import { type WorldOptions, EcsWorld } from './world.ts';

const SECOND_MS = 1_000;
/** By then all must be done. */
const PATIENCE_MS = 900_000;

export interface Burst {
  readonly rooms: number;
  readonly launches: Launches;
  /** The last launch at the quota's own limit. */
  readonly quotaMs: number;
  /** From a room's start to its agent in it. */
  readonly waitMs: { readonly median: number; readonly longest: number };
  /** Rooms with an agent in the end, and tasks that were ever made. */
  readonly served: number;
  readonly tasks: number;
  /** From the first room's start to the last room's agent: calls, by operation. */
  readonly calls: Readonly<Record<string, number>>;
  readonly tookMs: number;
}

export interface BurstOptions extends WorldOptions {
  readonly rooms: number;
  readonly withinMs: number;
  /** When the launcher is killed; a new one starts `downMs` later. */
  readonly kill?: { readonly atMs: number; readonly downMs: number };
  /** For what else happens; called as the first room may start. */
  readonly meanwhile?: (world: EcsWorld) => void;
}

/** Rooms start at chance moments of a while. */
export async function burst(options: BurstOptions): Promise<Burst> {
  const { rooms, withinMs, kill, meanwhile } = options;
  const world = new EcsWorld({ vcpuQuota: rooms, ...options });
  await world.start();
  await world.advance(SECOND_MS);
  const asked = world.wire.asked.length;
  const sinceMs = world.clock.nowMs();
  const wantedAtMs = open(world, rooms, withinMs);
  if (kill) world.clock.timer(kill.atMs, () => world.restart(kill.downMs));
  meanwhile?.(world);
  await world.advance(PATIENCE_MS, () => world.served() === rooms);
  const tookMs = world.clock.nowMs() - sinceMs;
  const calls = callsOf(world.wire.asked.slice(asked));
  // Were a second task on its way for a room, it would show by then.
  await world.advance(60 * SECOND_MS);
  const waitsMs = world.waitsMs();
  return {
    rooms,
    launches: launchesOf(world.wire.asked, sinceMs),
    quotaMs: quotaLimitMs(wantedAtMs),
    waitMs: { median: quantile(waitsMs, 0.5), longest: quantile(waitsMs, 1) },
    served: world.served(),
    tasks: world.ecs.account.launched,
    calls,
    tookMs,
  };
}

export interface FullPass {
  readonly tasks: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly tookMs: number;
}

/** A launcher that starts while so many tasks run, or stand ended in the list, looks at all. */
export async function fullPass(tasks: number): Promise<FullPass> {
  const world = new EcsWorld({ hints: false, vcpuQuota: tasks });
  for (let n = 0; n < tasks; n += 1) {
    const { sid } = world.open(nameOf(n));
    const startedBy = `${DEPLOYMENT}/r-${sid}-1`;
    world.ecs.plant({ cluster: world.cluster, taskDefinition: 'agent:1', startedBy });
  }
  await world.advance(60 * SECOND_MS);
  const launcher = await world.start();
  await world.advance(PATIENCE_MS, () => launcher.fullPasses.length > 0);
  return { tasks, calls: callsOf(world.wire.asked), tookMs: launcher.fullPasses[0]!.tookMs };
}

export interface Ends {
  readonly rooms: number;
  /** Rooms that start while the others end. */
  readonly fresh: number;
  /** From the last of the fresh rooms' starts to its launch. */
  readonly launchedAfterMs: number;
  /** From the last end to the last task's end. */
  readonly endedAfterMs: number;
  readonly calls: Readonly<Record<string, number>>;
  readonly throttled: number;
}

/** All rooms end within seconds, while others start. */
export async function ends(
  rooms: number,
  fresh: number,
  options: WorldOptions = {},
): Promise<Ends> {
  const world = new EcsWorld({ ...options, vcpuQuota: 2 * rooms });
  await world.start();
  open(world, rooms, rooms * 55);
  await world.advance(PATIENCE_MS, () => world.served() === rooms);
  await world.advance(30 * SECOND_MS);
  const asked = world.wire.asked.length;
  const sinceMs = world.clock.nowMs();
  for (const room of world.livekit.live()) {
    const atMs = world.dice.between(0, 5 * SECOND_MS, 'end');
    world.clock.timer(atMs, () => world.livekit.close(room));
  }
  const wantedAtMs = open(world, fresh, 10 * SECOND_MS, rooms);
  await world.advance(PATIENCE_MS, () => world.served() === fresh && world.running.size === fresh);
  const since = world.wire.asked.slice(asked);
  return {
    rooms,
    fresh,
    launchedAfterMs: launchesOf(since, sinceMs).lastMs - Math.max(...wantedAtMs),
    endedAfterMs: world.lastEndedAtMs - sinceMs - 5 * SECOND_MS,
    calls: callsOf(since),
    throttled: since.filter(({ refusal }) => refusal === 'ThrottlingException').length,
  };
}

/** Opens rooms at chance moments; returns these. */
function open(world: EcsWorld, rooms: number, withinMs: number, from = 0): number[] {
  return Array.from({ length: rooms }, (_, n) => {
    const atMs = world.dice.between(0, withinMs, 'start');
    world.clock.timer(atMs, () => world.open(nameOf(from + n)));
    return atMs;
  });
}

/** With an end of its own, so that a name and the number after it make one sid each. */
function nameOf(n: number): string {
  return `room${n}x`;
}
