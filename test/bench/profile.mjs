/** The one profile of launchers that are put together here: hours until anything is late. */

const HOUR_MS = 3_600_000;

export const profile = {
  name: 'default',
  template: 'agent',
  cpu: 1,
  memoryMiB: 1024,
  retries: 3,
  startDeadlineMs: HOUR_MS,
  joinDeadlineMs: HOUR_MS,
  maxLifetimeMs: 24 * HOUR_MS,
  shutdownTimeoutMs: 60_000,
};

export const profiles = { list: [profile], unmatched: { ...profile, name: '', launch: false } };
