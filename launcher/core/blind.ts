/**
 * Time in which something did not answer: it counts towards no deadline, because nobody could see
 * whether the deadline was kept.
 */
export class BlindTime {
  #sinceMs: number | null = null;
  #totalMs = 0;
  #answeredAtMs = -Infinity;

  /** Was the newest look not answered? */
  get now(): boolean {
    return this.#sinceMs !== null;
  }

  /** A look was answered then, or one that began then was not. Looks may overlap. */
  note(answers: boolean, atMs: number): void {
    if (!answers) {
      this.#sinceMs ??= Math.max(atMs, this.#answeredAtMs);
      return;
    }
    this.#answeredAtMs = Math.max(atMs, this.#answeredAtMs);
    if (this.#sinceMs === null) return;
    this.#totalMs += Math.max(atMs - this.#sinceMs, 0);
    this.#sinceMs = null;
  }

  /** In all, until now. */
  ms(nowMs: number): number {
    return this.#totalMs + (this.#sinceMs === null ? 0 : nowMs - this.#sinceMs);
  }
}
