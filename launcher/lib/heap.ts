/** The memory of a process that lives for months and has bursts of work. */
import { setFlagsFromString } from 'node:v8';

/**
 * How far the heap may grow beyond what was alive at the last full collection. V8's own choice is up
 * to four times as much: a burst of rooms would leave the launcher twice as large as it has to be.
 */
const GROWTH_PERCENT = 20;

const FLAGS = [
  `--heap-growing-percent=${GROWTH_PERCENT}`,
  // V8 learns from a burst that requests grow old, and makes all later ones among what is old: dead
  // within milliseconds, they wait there for a full collection, and soon there has to be one.
  '--no-allocation-site-pretenuring',
  // What is new keeps the room that it has; V8 would let a burst widen it, and keep it wide.
  '--semi-space-growth-factor=1',
];

/**
 * Has V8 collect sooner, in this process, from now on. Called once the command line has been read,
 * before what serves is loaded: what is new has a few megabytes by then, enough for a burst.
 */
export function holdHeapDown(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
