/**
 * Chance as a function of a seed. Each purpose has dice of its own, so that a story from which one
 * event was taken out falls out much the same in all the rest: that is what shrinking lives on.
 */
export class Dice {
  readonly #seed: number;
  readonly #rolls = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** In [0, 1). */
  roll(purpose: string): number {
    const n = (this.#rolls.get(purpose) ?? 0) + 1;
    this.#rolls.set(purpose, n);
    return hash(`${this.#seed}/${purpose}/${n}`) / 2 ** 32;
  }

  chance(probability: number, purpose: string): boolean {
    return probability > 0 && this.roll(purpose) < probability;
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number, purpose: string): number {
    return min + Math.floor(this.roll(purpose) * (max - min + 1));
  }

  pick<T>(of: readonly T[], purpose: string): T {
    return of[this.between(0, of.length - 1, purpose)]!;
  }
}

/** FNV-1a with murmur's finish, so that neighbouring seeds share nothing. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
