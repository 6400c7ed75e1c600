/** Cuts a failing story down to the events without which it does not fail. */
import { runStory } from './run.ts';
import type { Item, Story } from './story.ts';

/** The shortest story found that breaks the same invariant. */
export async function shrink(story: Story, invariant: string): Promise<Story> {
  const fails = async (items: readonly Item[]) =>
    (await runStory({ ...story, items })).violation?.invariant === invariant;
  let items = story.items;
  let size = Math.ceil(items.length / 2);
  while (size >= 1) {
    const before = items.length;
    let from = 0;
    while (from < items.length) {
      const fewer = items.toSpliced(from, size);
      if (await fails(fewer)) items = fewer;
      else from += size;
    }
    // Until single events are left, and none of them can go.
    if (size > 1 || items.length === before) size = Math.floor(size / 2);
  }
  return { ...story, items };
}
