/** Cuts a failing story down to the events without which it does not fail. */
import { runStory } from './run.ts';
import type { Item, Story } from './story.ts';

/** The shortest story found that breaks the same invariant. */
export async function shrink(story: Story, invariant: string): Promise<Story> {
  const fails = async (items: readonly Item[]) =>
    (await runStory({ ...story, items })).violation?.invariant === invariant;
  let items = story.items;
  for (let size = Math.ceil(items.length / 2); size >= 1;) {
    let cut = false;
    for (let from = 0; from < items.length;) {
      const fewer = items.toSpliced(from, size);
      if (await fails(fewer)) {
        items = fewer;
        cut = true;
      } else from += size;
    }
    if (size === 1 && !cut) break;
    size = cut && size === 1 ? 1 : Math.max(1, Math.floor(size / 2));
    if (size === 1 && items.length === 0) break;
  }
  return { ...story, items };
}
