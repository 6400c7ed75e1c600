/** Seeds that see a bug which the simulation once found, if it is put back. */
export const FOUND: readonly {
  readonly seed: number;
  /** Of the story's warm pool, where it is not the seed's own. */
  readonly standby?: number;
  readonly what: string;
}[] = [
  { seed: 453, standby: 0, what: 'a room that was only heard of never counted as over' },
  {
    seed: 2168,
    standby: 0,
    what: 'a plan mixed tasks read before an await with memory noted after it',
  },
  {
    seed: 2286,
    standby: 0,
    what: 'an end rested on participants older than the list that it waited for',
  },
  { seed: 96, standby: 0, what: 'the ends of an earlier life of a sid decided the next one' },
  {
    seed: 599,
    standby: 0,
    what: 'an agent that reconnects time and again was ended as if it had left',
  },
  { seed: 1854, standby: 3, what: 'a standby was retired in mid-call: its room was not looked at' },
  { seed: 450, standby: 2, what: 'what was left of standbys was removed time and again' },
  { seed: 692, standby: 1, what: 'a standby that always hung up kept its room from a launch' },
  { seed: 20_586, standby: 2, what: "a sid's second life was ended by the end of its first" },
  { seed: 44_576, standby: 2, what: 'time in which no task could be given its job was counted' },
  { seed: 1633, standby: 1, what: "a room was given another task's end by a lie left behind" },
  { seed: 2393, standby: 3, what: 'a stop was repeated on an old list' },
  { seed: 5583, standby: 2, what: 'what was left of a standby that was launched again stayed' },
];
