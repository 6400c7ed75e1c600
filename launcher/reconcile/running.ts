/** Passes that run, by the names of their rooms: those that look at LiveKit, and those that wait. */
export class RunningPasses {
  readonly #all = new Map<string, Promise<void>>();
  readonly #aside = new Set<string>();

  /** How many look at LiveKit, or are about to. */
  get looking(): number {
    return this.#all.size - this.#aside.size;
  }

  has(name: string): boolean {
    return this.#all.has(name);
  }

  /** Of one that begins; it is over when `done` settles. */
  add(name: string, done: Promise<void>): void {
    this.#all.set(name, done);
  }

  over(name: string): void {
    this.#all.delete(name);
  }

  /** The pass of `name` waits for the engine: those that look at LiveKit need not wait for it. */
  async aside<T>(name: string, wait: () => Promise<T>): Promise<T> {
    this.#aside.add(name);
    try {
      return await wait();
    } finally {
      this.#aside.delete(name);
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#all.values());
  }
}
