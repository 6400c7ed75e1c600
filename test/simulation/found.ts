/** Seeds that see a bug which the simulation once found, if it is put back. */
export const FOUND = [
  { seed: 453, what: 'a room that was only heard of never counted as over' },
  { seed: 2168, what: 'a plan mixed tasks read before an await with memory noted after it' },
  { seed: 2286, what: 'an end rested on participants older than the list that it waited for' },
  { seed: 96, what: 'the ends of an earlier life of a sid decided the next one' },
  { seed: 599, what: 'an agent that reconnects time and again was ended as if it had left' },
] as const;
