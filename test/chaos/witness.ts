/**
 * Looks at every room all the time, as its visitors would: how long it waits for its first agent,
 * how long it is without one after a failure, and whether it ever has two.
 */
import type { RoomServiceClient } from 'livekit-server-sdk';
import { delay, systemClock } from '../../launcher/lib/clock.ts';
import { agentsIn, isActive } from '../support/served.ts';
import type { Lives } from './lives.ts';

/** Figures are as exact as this, and the time that a look takes. */
const LOOK_MS = 100;

interface Watched {
  readonly name: string;
  readonly firstSeenMs: number;
  /** Task of the agent that was seen last. */
  key: string | null;
  withoutSinceMs: number | null;
  twoSinceMs: number | null;
}

export class Witness implements AsyncDisposable {
  /** From a room's being listed to its first agent. */
  readonly firstAgentMs: number[] = [];
  /** From an agent's end to the next one in its room. */
  readonly withoutAgentMs: number[] = [];
  /** The longest time that a room had two agents whose containers ran. */
  twoAgentsMs = 0;
  readonly #rooms: RoomServiceClient;
  readonly #lives: Lives;
  readonly #watched = new Map<string, Watched>();
  readonly #over = new AbortController();
  readonly #looking: Promise<void>;

  constructor(rooms: RoomServiceClient, lives: Lives) {
    this.#rooms = rooms;
    this.#lives = lives;
    this.#looking = this.#watch();
  }

  /** Forgets the figures so far: those of the beginning, when all rooms start at once. */
  begin(): void {
    this.firstAgentMs.length = 0;
    this.withoutAgentMs.length = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.#looking;
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted) {
      // A server that is away has no rooms, and none that wait.
      await this.#look().catch(() => {});
      await delay(systemClock, LOOK_MS, this.#over.signal);
    }
  }

  async #look(): Promise<void> {
    const listed = await this.#rooms.listRooms();
    const sids = new Set(listed.map(({ sid }) => sid));
    for (const sid of this.#watched.keys()) if (!sids.has(sid)) this.#watched.delete(sid);
    await Promise.all(
      listed.map(async ({ sid, name }) => {
        const agents = await agentsIn({ rooms: this.#rooms }, name).catch(() => null);
        if (agents) this.#note(sid, name, agents, Date.now());
      }),
    );
  }

  #note(
    sid: string,
    name: string,
    agents: Awaited<ReturnType<typeof agentsIn>>,
    nowMs: number,
  ): void {
    const room = this.#watched.get(sid) ?? newlyWatched(name, nowMs);
    this.#watched.set(sid, room);
    // An agent whose container has ended stays listed until the server misses it, up to half a minute.
    const alive = agents.filter(({ attributes }) => this.#runs(attributes['room-launcher.task']));
    room.twoSinceMs = alive.length > 1 ? (room.twoSinceMs ?? nowMs) : null;
    this.twoAgentsMs = Math.max(this.twoAgentsMs, nowMs - (room.twoSinceMs ?? nowMs));
    const ours = agents.find(({ identity }) => identity === `agent-${sid}`);
    const key = ours?.attributes['room-launcher.task'] ?? '';
    const present = ours && isActive(ours) && alive.includes(ours);
    if (!present) {
      if (room.key !== null) room.withoutSinceMs ??= this.#endOf(room.key) ?? nowMs;
      return;
    }
    if (room.key === null) this.firstAgentMs.push(nowMs - room.firstSeenMs);
    else if (room.withoutSinceMs !== null) this.withoutAgentMs.push(nowMs - room.withoutSinceMs);
    Object.assign(room, { key, withoutSinceMs: null });
  }

  #runs(key: string | undefined): boolean {
    return key !== undefined && this.#lives.running(key) !== undefined;
  }

  #endOf(key: string): number | null {
    return this.#lives.all().find((life) => life.key === key)?.endedMs ?? null;
  }
}

function newlyWatched(name: string, nowMs: number): Watched {
  return { name, firstSeenMs: nowMs, key: null, withoutSinceMs: null, twoSinceMs: null };
}
