/**
 * Images that tasks run: looked at once, pulled when they are missing.
 *
 * A pull goes on in the background, once for all who wait for it, and a launch that needs it is
 * refused as `pulling` meanwhile: it holds no launch slot and its time counts towards no deadline.
 *
 *     unknown ──there──▶ seen            pulling ──▶ seen
 *        └─────missing─▶ pulling            └─────▶ failed ──after FAILURE_KEPT_MS──▶ unknown
 */
import type { Preparation } from '../../driver.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Engine } from './calls.ts';
import { pullRefusalOf, refused, type Refused } from './errors.ts';
import { PullProgress } from './progress.ts';

/** All who wait learn of a failure within this time; then the next one asks the registry again. */
const FAILURE_KEPT_MS = 30_000;
/** A pull that makes no progress for this long has failed. */
const STALL_MS = 300_000;

export interface ImagesParts {
  readonly clock: Clock;
  readonly log: Log;
}

type ImageSource = Pick<Engine, 'image' | 'pull' | 'architecture'>;

interface Failure {
  readonly refusal: Refused;
  readonly atMs: number;
}

export class Images {
  readonly #parts: ImagesParts;
  /** Images that are there, with their own user. */
  readonly #seen = new Map<string, string>();
  readonly #warnedOfRoot = new Set<string>();
  readonly #pulls = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, Failure>();
  readonly #end = new AbortController();

  constructor(parts: ImagesParts) {
    this.#parts = parts;
  }

  /** Null when a container of the image can be made; begins a pull when it is missing. */
  async ready(engine: ImageSource, wanted: Preparation): Promise<Refused | null> {
    const { template: image } = wanted;
    const refusal = await this.#refusal(engine, image);
    if (refusal === null) this.#warnOfRoot(wanted);
    return refusal;
  }

  async #refusal(engine: ImageSource, image: string): Promise<Refused | null> {
    if (this.#seen.has(image)) return null;
    if (this.#pulls.has(image)) return pulling(image);
    const failure = this.#failureOf(image);
    if (failure !== null) return failure;
    if (await this.#look(engine, image)) return null;
    this.#begin(engine, image);
    return pulling(image);
  }

  /** The engine does not have an image that was there: look again, and pull it. */
  forget(image: string): void {
    this.#seen.delete(image);
  }

  /** Resolves when the image is there, or cannot be had, which is logged. */
  async prepare(engine: ImageSource, wanted: Preparation): Promise<void> {
    await this.ready(engine, wanted);
    await this.#pulls.get(wanted.template);
    this.#warnOfRoot(wanted);
  }

  /** Ends what goes on; the engine keeps the layers that it has. */
  async close(): Promise<void> {
    this.#end.abort();
    await Promise.all(this.#pulls.values());
  }

  #failureOf(image: string): Refused | null {
    const failure = this.#failures.get(image);
    if (failure === undefined) return null;
    if (this.#parts.clock.nowMs() - failure.atMs < FAILURE_KEPT_MS) return failure.refusal;
    this.#failures.delete(image);
    return null;
  }

  async #look(engine: ImageSource, image: string): Promise<boolean> {
    const found = await engine.image(image);
    if (found === null) return false;
    if (this.#seen.has(image)) return true;
    const { log } = this.#parts;
    const { user, architecture } = found;
    this.#seen.set(image, user);
    if (architecture !== engine.architecture) {
      const fields = { image, image_architecture: architecture, engine: engine.architecture };
      log.warn('this image is for another architecture: it may not run', fields);
    }
    return true;
  }

  /** Says once per image that its tasks run as root, unless another user was chosen for them. */
  #warnOfRoot({ template: image, options }: Preparation): void {
    const user = this.#seen.get(image);
    if (user === undefined || options?.user !== undefined || this.#warnedOfRoot.has(image)) return;
    if (!['', '0', 'root'].includes(user.split(':')[0] ?? '')) return;
    this.#warnedOfRoot.add(image);
    this.#parts.log.warn('this image runs as root: give it a USER', { image });
  }

  #begin(engine: ImageSource, image: string): void {
    if (this.#pulls.has(image)) return;
    const pull = this.#pull(engine, image)
      .catch((error: unknown) => this.#fail(image, error))
      .finally(() => this.#pulls.delete(image));
    this.#pulls.set(image, pull);
  }

  async #pull(engine: ImageSource, image: string): Promise<void> {
    const { clock, log } = this.#parts;
    const beganAtMs = clock.nowMs();
    const stalled = new AbortController();
    const signal = AbortSignal.any([this.#end.signal, stalled.signal]);
    const watchdog = () => clock.timer(STALL_MS, () => stalled.abort(new Error('no progress')));
    let cancel = watchdog();
    try {
      log.info('pulling an image', { image });
      const progress = new PullProgress(image, clock, log);
      for await (const piece of await engine.pull(image, signal)) {
        cancel();
        cancel = watchdog();
        progress.take(String(piece));
      }
      progress.end();
      if (!(await this.#look(engine, image))) throw new Error('it is not there afterwards');
      log.info('pulled an image', { image, took_ms: clock.nowMs() - beganAtMs });
    } finally {
      cancel();
    }
  }

  #fail(image: string, error: unknown): void {
    if (this.#end.signal.aborted) return;
    const { clock, log } = this.#parts;
    const refusal = pullRefusalOf(image, error);
    this.#failures.set(image, { refusal, atMs: clock.nowMs() });
    log.warn('could not pull an image', { image, reason: refusal.detail });
  }
}

function pulling(image: string): Refused {
  return refused('pulling', 'same-key', `the engine is pulling image ${image}`);
}
