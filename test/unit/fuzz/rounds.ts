/**
 * Runs generated cases in rounds. Each round has a seed of its own, so that a failing one is
 * replayed alone: `npm run fuzz -- --seed <it> --cases <one round>`.
 */
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { waitFor } from '../../support/wait.ts';

/** Of all doors together; `npm run fuzz` sets it. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 5_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const ROUND = 250;
const AT_ONCE = 50;
/** Rounds until code and buffers have their size; memory is compared from there on. */
const WARM_ROUNDS = 3;
const GROWTH_MAX_MIB = 24;
const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Time that vitest gives a run of `share` of all cases. */
export const timeLimitMs = (share: number) => 60_000 + CASES * share * 20;

export interface Target<T> {
  /** For the replay: `npm run fuzz -- --only <name>`. */
  readonly name: string;
  /** Of all cases. */
  readonly share: number;
  readonly recipe: fc.Arbitrary<T>;
  /** Tries one; resolves with what is wrong, or null. */
  attempt(recipe: T): Promise<string | null>;
  /** After each round: the target must still do its work. */
  stillWorks(): Promise<void>;
}

/** Throws for the first case that goes wrong, with the case and how to see it again. */
export async function runRounds<T>(target: Target<T>): Promise<void> {
  const share = process.env['FUZZ_ONLY'] === target.name ? 1 : target.share;
  const rounds = Math.max(1, Math.ceil((CASES * share) / ROUND));
  let warmMiB: number | null = null;
  for (let round = 0; round < rounds; round++) {
    const seed = SEED + round;
    const recipes = fc.sample(target.recipe, { seed, numRuns: ROUND });
    await inTurns(recipes, async (recipe) => {
      const wrong = await target.attempt(recipe);
      if (wrong !== null) throw new Error(story(target.name, seed, wrong, recipe));
    });
    await target.stillWorks();
    if (round === Math.min(WARM_ROUNDS, rounds - 1)) warmMiB = heapMiB();
  }
  const warm = warmMiB ?? heapMiB();
  // What the last connections still hold goes within seconds; a leak does not.
  let endMiB = Infinity;
  const came = waitFor(
    'the heap to come back',
    () => (endMiB = heapMiB()) <= warm + GROWTH_MAX_MIB,
  );
  await came.catch(() => {});
  const cases = `${target.name}: ${rounds * ROUND} cases from seed ${SEED}`;
  const heap = `heap ${warm.toFixed(1)} MiB warm, ${endMiB.toFixed(1)} MiB at the end`;
  if (process.env['FUZZ_CASES'] !== undefined) console.log(`${cases}, ${heap}`);
  if (endMiB - warm > GROWTH_MAX_MIB) throw new Error(`memory grows: ${cases}, ${heap}`);
}

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  const lane = async () => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

function heapMiB(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / MIB;
}

function story(name: string, seed: number, wrong: string, recipe: unknown): string {
  const replay = `npm run fuzz -- --only ${name} --seed ${seed} --cases ${ROUND}`;
  const shown = fc.stringify(recipe).replace(/(.)\1{40,}/g, '$1…$1');
  return `${wrong}\nReplay: ${replay}\nCase: ${shown.slice(0, 4_000)}`;
}
