import { describe, expect, it } from 'vitest';
import { isTone, toneSamples, toneShare } from '../../launcher/dev/tone.ts';

const RATE = 48_000;
const WINDOW = 4_800;

describe('tone', () => {
  it('knows its own tone, wherever the window begins and however loud it is', () => {
    for (const first of [0, 1, 479, 12_345])
      expect(toneShare(toneSamples(440, RATE, first, WINDOW), RATE, 440)).toBeGreaterThan(0.99);
    const quiet = toneSamples(440, RATE, 0, WINDOW).map((sample) => sample / 16);
    expect(isTone(quiet, RATE, 440)).toBe(true);
  });

  it('joins frames without a click', () => {
    const frames = [0, 480, 960].flatMap((first) => [...toneSamples(440, RATE, first, 480)]);
    expect(frames).toEqual([...toneSamples(440, RATE, 0, 1_440)]);
  });

  it('tells neighbouring tones apart', () => {
    for (const other of [400, 480, 520, 880, 220])
      expect(isTone(toneSamples(other, RATE, 0, WINDOW), RATE, 440)).toBe(false);
  });

  it('takes neither silence nor noise nor faint hum for the tone', () => {
    const noise = Int16Array.from({ length: WINDOW }, (_, i) => ((i * 7_919) % 20_011) - 10_005);
    expect(isTone(new Int16Array(WINDOW), RATE, 440)).toBe(false);
    expect(isTone(noise, RATE, 440)).toBe(false);
    const hum = toneSamples(440, RATE, 0, WINDOW).map((sample) => sample / 200);
    expect(isTone(hum, RATE, 440)).toBe(false);
  });

  it('finds the tone under some noise', () => {
    const noisy = toneSamples(440, RATE, 0, WINDOW).map(
      (sample, index) => sample + (((index * 7_919) % 2_001) - 1_000),
    );
    expect(isTone(noisy, RATE, 440)).toBe(true);
  });
});
