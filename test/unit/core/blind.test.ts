import { beforeEach, expect, it } from 'vitest';
import { BlindTime } from '../../../launcher/core/blind.ts';

let blind: BlindTime;
beforeEach(() => {
  blind = new BlindTime();
});

it('counts from the first look that is not answered to the next that is', () => {
  blind.note(true, 1_000);
  blind.note(false, 2_000);
  blind.note(false, 5_000);
  expect(blind).toMatchObject({ now: true });
  expect(blind.ms(6_000)).toBe(4_000);
  blind.note(true, 7_000);
  expect(blind).toMatchObject({ now: false });
  expect(blind.ms(60_000)).toBe(5_000);
});

it('counts no moment twice when looks overlap, nor one in which another look was answered', () => {
  blind.note(false, 0); // Given up at 10 s.
  blind.note(true, 10_500);
  blind.note(false, 1_000); // Began before that answer, given up after it.
  expect(blind.ms(11_000)).toBe(11_000);
  blind.note(true, 11_000);
  blind.note(true, 10_900); // Told late.
  expect(blind.ms(60_000)).toBe(11_000);
});
