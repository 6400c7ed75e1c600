/** So many works at once, the rest in order, whatever becomes of each. */
import { describe, expect, it } from 'vitest';
import { delay } from '../../launcher/lib/clock.ts';
import { Slots } from '../../launcher/lib/slots.ts';
import { FakeClock } from '../fakes/clock.ts';

describe('slots', () => {
  it('let two of five run at once, in order, also after one that failed', async () => {
    const clock = new FakeClock(0);
    const slots = new Slots(2);
    const begun: string[] = [];
    const works = Array.from('abcde', (name) =>
      slots.run(async () => {
        begun.push(`${name} ${clock.nowMs()}`);
        await delay(clock, 10);
        if (name === 'a') throw new Error('broken');
        return name;
      }),
    );
    const settled = Promise.allSettled(works);
    await clock.advance(100);
    expect(begun).toEqual(['a 0', 'b 0', 'c 10', 'd 10', 'e 20']);
    expect((await settled).map(({ status }) => status)).toEqual([
      'rejected',
      ...Array.from('bcde', () => 'fulfilled'),
    ]);
  });
});
