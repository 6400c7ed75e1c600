/** A pull's stream of JSON lines: said in the log now and then, and its failure thrown. */
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';

const SAY_EVERY_MS = 5_000;
/** Of one line without an end: a stream that is none must not fill the memory. */
const LINE_LENGTH_MAX = 1_000_000;

interface Line {
  readonly id?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export class PullProgress {
  readonly #image: string;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Bytes of each layer's newest step. */
  readonly #layers = new Map<string, { readonly current: number; readonly total: number }>();
  #rest = '';
  #saidAtMs: number;

  constructor(image: string, clock: Clock, log: Log) {
    this.#image = image;
    this.#clock = clock;
    this.#log = log;
    this.#saidAtMs = clock.nowMs();
  }

  /** Takes the stream's next piece; throws with the engine's words when the pull has failed. */
  take(piece: string): void {
    const lines = (this.#rest + piece).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LINE_LENGTH_MAX) throw new Error('the pull sends no lines');
    for (const line of lines) this.#note(line);
    if (this.#clock.nowMs() - this.#saidAtMs < SAY_EVERY_MS) return;
    this.#saidAtMs = this.#clock.nowMs();
    this.#log.info('pulling an image', { image: this.#image, ...this.#sums() });
  }

  /** The stream is over: its last line may lack an end. */
  end(): void {
    this.#note(this.#rest);
  }

  #note(text: string): void {
    if (text.trim() === '') return;
    const { id, error, progressDetail } = JSON.parse(text) as Line;
    if (error !== undefined) throw new Error(error);
    if (id === undefined || progressDetail?.total === undefined) return;
    this.#layers.set(id, { current: progressDetail.current ?? 0, total: progressDetail.total });
  }

  #sums(): { readonly layers: number; readonly done_mib: number; readonly of_mib: number } {
    let done = 0;
    let all = 0;
    for (const { current, total } of this.#layers.values()) {
      done += current;
      all += total;
    }
    return { layers: this.#layers.size, done_mib: mib(done), of_mib: mib(all) };
  }
}

function mib(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
