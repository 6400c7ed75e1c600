/**
 * Time in which something did not answer: it counts towards no deadline, because nobody could see
 * whether the deadline was kept.
 */
export class BlindTime {
  #sinceMs: number | null = null;
  #totalMs = 0;

  /** Was the newest look not answered? */
  get now(): boolean {
    return this.#sinceMs !== null;
  }

  /** A look was answered, or not. */
  note(answers: boolean, nowMs: number): void {
    if (answers && this.#sinceMs !== null) {
      this.#totalMs += nowMs - this.#sinceMs;
      this.#sinceMs = null;
    } else if (!answers) this.#sinceMs ??= nowMs;
  }

  /** In all, until now. */
  ms(nowMs: number): number {
    return this.#totalMs + (this.#sinceMs === null ? 0 : nowMs - this.#sinceMs);
  }
}
