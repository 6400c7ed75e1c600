/**
 * Tones as samples, and whether samples are a given tone: pure, so that the demo can prove that the
 * audio that comes back is the audio that it sent, and not just some bytes.
 */

const INT16_MAX = 32_767;
const AMPLITUDE = 0.4;
/** Below this root mean square (full scale 1) samples are silence. */
const SILENCE_RMS = 0.005;
/** Share of the energy that must sit at the one frequency. A clean tone has 1, speech and noise 0. */
const SHARE_MIN = 0.6;

/** `count` samples of a sine of `frequencyHz`, from sample `first` on, so that frames join up. */
export function toneSamples(
  frequencyHz: number,
  sampleRateHz: number,
  first: number,
  count: number,
): Int16Array {
  const step = (2 * Math.PI * frequencyHz) / sampleRateHz;
  return Int16Array.from({ length: count }, (_, index) =>
    Math.round(AMPLITUDE * INT16_MAX * Math.sin(step * (first + index))),
  );
}

/**
 * Share (0 to 1) of the samples' energy at `frequencyHz`, by Goertzel's algorithm; 0 for silence.
 * Tones tell apart when they are a few times `sampleRateHz / samples.length` apart.
 */
export function toneShare(samples: Int16Array, sampleRateHz: number, frequencyHz: number): number {
  const turn = 2 * Math.cos((2 * Math.PI * frequencyHz) / sampleRateHz);
  let before = 0;
  let last = 0;
  let energy = 0;
  for (const sample of samples) {
    const value = sample / INT16_MAX;
    [before, last] = [last, value + turn * last - before];
    energy += value * value;
  }
  if (energy <= samples.length * SILENCE_RMS ** 2) return 0;
  const power = before * before + last * last - turn * before * last;
  return Math.min(1, (2 * power) / (samples.length * energy));
}

/** Whether the samples are, above all, a tone of `frequencyHz`. */
export function isTone(samples: Int16Array, sampleRateHz: number, frequencyHz: number): boolean {
  return toneShare(samples, sampleRateHz, frequencyHz) >= SHARE_MIN;
}
