/**
 * The launcher in the simulated world: no seed breaks an invariant. `npm run simulate` runs more of
 * them, and tells the shortest story of one that does.
 */
import { describe, expect, it } from 'vitest';
import { FOUND } from './found.ts';
import { runStory } from './run.ts';
import { makeStory, tellStory } from './story.ts';

const SEEDS = 500;
const AT_ONCE = 50;

async function expectHeld(seed: number, standby?: number): Promise<void> {
  const story = makeStory(seed, standby);
  const { violation } = await runStory(story);
  const pool = `--standby ${story.standby}`;
  const told = `npm run simulate -- --seeds 1 --from ${seed} ${pool} --log\n${tellStory(story)}`;
  expect(violation, told).toBeNull();
}

describe('the simulated world', () => {
  const firsts = Array.from({ length: SEEDS / AT_ONCE }, (_, index) => index * AT_ONCE + 1);
  it.each(firsts)('holds for the 50 seeds from %i', async (first) => {
    for (let seed = first; seed < first + AT_ONCE; seed++) await expectHeld(seed);
  });

  it.each(FOUND)('holds for seed $seed, which found: $what', ({ seed, standby }) =>
    expectHeld(seed, standby),
  );

  it('tells the same story twice', async () => {
    const [one, two] = [await runStory(makeStory(7)), await runStory(makeStory(7))];
    expect(two).toEqual(one);
  });
});
