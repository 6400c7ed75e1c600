/** What is said of the warm pool: each standby that can take a room, and pools that fail to fill. */
import type { Memory } from '../core/memory.ts';
import { TROUBLED } from '../core/plan-stock.ts';
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Outage } from '../lib/outage.ts';
import { idOf } from './events.ts';

const NO_STANDBYS = {
  begins: 'has trouble with its standbys; retrying, and rooms without one are launched for',
  ends: 'has a standby again',
};

export interface PoolNewsParts {
  readonly memory: Memory;
  readonly clock: Clock;
  readonly log: Log;
}

export class PoolNews {
  readonly #parts: PoolNewsParts;
  readonly #outages: ReadonlyMap<string, Outage>;

  constructor(profiles: Iterable<string>, parts: PoolNewsParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    const outageOf = (profile: string) =>
      new Outage(`the warm pool of profile ${profile}`, clock, log, NO_STANDBYS);
    this.#outages = new Map([...profiles].map((profile) => [profile, outageOf(profile)]));
  }

  /** Says what is new, once. */
  say(isReady: (key: TaskKey) => boolean): void {
    const { memory, clock, log } = this.#parts;
    const nowMs = clock.nowMs();
    const filled = new Set<string>();
    for (const standby of memory.standbys.idle.values()) {
      const { key, profile, readySaid } = standby;
      if (!isReady(key)) continue;
      filled.add(profile);
      if (readySaid) continue;
      standby.readySaid = true;
      const launchedAtMs = memory.task(key).firstSeenAtMs ?? nowMs;
      log.event('standby.ready', { ...idOf(key, memory), since_launch_ms: nowMs - launchedAtMs });
    }
    for (const [profile, outage] of this.#outages) {
      const trouble = memory.standbys.trouble(profile, nowMs);
      if (filled.has(profile)) outage.succeeded();
      else if (trouble && trouble.failures >= TROUBLED) outage.failed(trouble.reason);
    }
  }
}
