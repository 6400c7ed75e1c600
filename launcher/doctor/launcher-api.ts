/** The admin API of a launcher that runs, as far as the doctor asks it. */
import { z } from 'zod';
import { SseReader } from '../cli/sse.ts';
import { formatAddress, hostHere, type ListenAddress } from '../lib/listen.ts';

const REQUEST_TIMEOUT_MS = 3_000;

const part = z.object({
  state: z.enum(['up', 'down', 'unknown']),
  since: z.string().nullable(),
  reason: z.string().nullable(),
});
const readiness = z.object({ firstPassDone: z.boolean(), livekit: part, engine: part });
const task = z.object({
  key: z.string().nullable(),
  standby: z.enum(['ready', 'not-ready']).nullable(),
  phase: z.string(),
  verdict: z.string().nullable(),
  reason: z.string(),
  socket: z.string().nullable(),
});
/** A wide event; the fields beside these depend on it. */
const event = z.looseObject({ time: z.string(), event: z.string() });

export type Readiness = z.infer<typeof readiness>;
export type ListedTask = z.infer<typeof task>;
export type LauncherEvent = z.infer<typeof event>;

/** Where to ask, on this machine, for what listens at `address`. */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${formatAddress({ host: hostHere(host), port })}`;
}

export class LauncherApi {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** What `/readyz` says; null when what answers is no launcher. Rejects without an answer. */
  async ready(signal: AbortSignal): Promise<Readiness | null> {
    const answer = await this.#get('/readyz', signal);
    const read = readiness.safeParse(await answer.json().catch(() => null));
    return read.success ? read.data : null;
  }

  async tasks(signal: AbortSignal): Promise<readonly ListedTask[]> {
    return z.array(task).parse(await (await this.#get('/api/tasks', signal)).json());
  }

  /** Events that it still knows, then each as it happens, until `signal` aborts. */
  async *events(signal: AbortSignal): AsyncGenerator<LauncherEvent> {
    const answer = await fetch(`${this.url}/api/events`, { signal });
    if (!answer.ok) throw new Error(`the launcher at ${this.url} answered ${answer.status}`);
    const decoder = new TextDecoder();
    const reader = new SseReader();
    for await (const piece of answer.body ?? []) {
      for (const { data } of reader.take(decoder.decode(piece, { stream: true }))) {
        yield event.parse(JSON.parse(data));
      }
    }
  }

  #get(path: string, signal: AbortSignal): Promise<Response> {
    const limit = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    return fetch(`${this.url}${path}`, { signal: AbortSignal.any([signal, limit]) });
  }
}
