/** How long each check may take. What it waits for by itself is less. */
export const LIMITS_MS = {
  ports: 15_000,
  livekit: 15_000,
  clocks: 10_000,
  engine: 45_000,
  images: 60_000,
  network: 60_000,
  rooms: 60_000,
  standbys: 60_000,
  webhook: 20_000,
  media: 60_000,
  agent: 150_000,
} as const;

/** For one request to LiveKit. */
export const LIVEKIT_TIMEOUT_MS = 8_000;
