/** What a test must undo, also when it fails: in reverse order, all of it. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  /** Disposes of `thing` at the end; returns it. */
  use<T extends AsyncDisposable>(thing: T): T {
    this.defer(() => thing[Symbol.asyncDispose]());
    return thing;
  }

  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Runs every step, then throws what the first failing one threw. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
