/** Which profiles want standbys, and whether they get them: trouble is said once, and so is its end. */
import type { Profile } from '../core/desired.ts';
import type { Standbys } from '../core/standbys.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Outage } from '../lib/outage.ts';

const WORDS = {
  begins: 'has trouble with its standbys; retrying, and rooms without one are launched for',
  ends: 'has a standby again',
};
/** Failures in a row that are said: one may be somebody's kill. */
const TROUBLED = 2;

export class PoolHealth {
  readonly #clock: Clock;
  /** By profile. */
  readonly #outages: ReadonlyMap<string, Outage>;

  constructor(profiles: readonly Profile[], clock: Clock, log: Log) {
    const wanted = profiles.filter(({ standby = 0 }) => standby > 0);
    this.#clock = clock;
    this.#outages = new Map(
      wanted.map(({ name }) => {
        return [name, new Outage(`the warm pool of profile ${name}`, clock, log, WORDS)];
      }),
    );
  }

  /** Are standbys wanted at all? */
  get wanted(): boolean {
    return this.#outages.size > 0;
  }

  wants(profile: string): boolean {
    return this.#outages.has(profile);
  }

  /** After a pass. `isReady`: can a standby of this profile be offered a room? */
  note(standbys: Standbys, isReady: (profile: string) => boolean): void {
    for (const [profile, outage] of this.#outages) {
      const trouble = standbys.trouble(profile, this.#clock.nowMs());
      if (isReady(profile)) outage.succeeded();
      else if (trouble && trouble.failures >= TROUBLED) outage.failed(trouble.reason);
    }
  }
}
