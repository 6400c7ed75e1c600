/**
 * The way between launchers and the fake of ECS: each call takes its time, and what comes of it is
 * noted. A call of a launcher that was killed is carried out if it was on its way, and answered to
 * nobody.
 */
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { ECSClient, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { Clock } from '../../../launcher/lib/clock.ts';
import { FakeClock } from '../../fakes/clock.ts';
import { CREDENTIALS, FakeEcs, inProcessHandler } from '../../fakes/ecs/index.ts';
import type { Dice } from '../dice.ts';

/** There and back, from the least to the most; half of it each way. */
const LATENCY_MS: Readonly<Record<string, readonly [number, number]>> = {
  RunTask: [300, 700],
  StopTask: [100, 300],
  DescribeTasks: [50, 150],
  ListTasks: [50, 150],
};
const OTHERS_MS = [10, 30] as const;

/** One call as it reached the service. */
export interface Asked {
  readonly action: string;
  readonly atMs: number;
  /** Null: carried out. Else the exception's name, or the reason of a failure. */
  readonly refusal: string | null;
}

type Handler = ReturnType<typeof inProcessHandler>;

export class Wire {
  readonly asked: Asked[] = [];
  readonly #clock: Clock;
  readonly #dice: Dice;
  readonly #handler: Handler;
  /** Answers that the SDK has not read to their ends. */
  #unread = 0;

  constructor(fake: FakeEcs, clock: Clock, dice: Dice) {
    this.#clock = clock;
    this.#dice = dice;
    this.#handler = inProcessHandler(fake);
  }

  /** Resolves when no answer is being read: the SDK's streams take turns of Node's event loop. */
  async quiet(): Promise<void> {
    do await setImmediate();
    while (this.#unread > 0);
  }

  /** A `requestHandler` of the SDK, for as long as its launcher is alive. */
  handler(alive: () => boolean): Handler {
    return {
      ...this.#handler,
      handle: async (request, options) => {
        const [, action = ''] = (request.headers['x-amz-target'] ?? '').split('.');
        const [minMs, maxMs] = LATENCY_MS[action] ?? OTHERS_MS;
        const wayMs = Math.ceil(this.#dice.between(minMs, maxMs, action) / 2);
        await this.#way(wayMs);
        const atMs = this.#clock.nowMs();
        const { response } = await this.#handler.handle(request, options);
        const text = await textOf(response.body);
        const refusal = refusalIn(response.statusCode, action, text);
        this.asked.push({ action, atMs, refusal });
        await this.#way(wayMs);
        if (!alive()) return new Promise(() => {});
        return { response: { ...response, body: this.#watched(text) } };
      },
    };
  }

  #way(ms: number): Promise<void> {
    return new Promise((resolve) => this.#clock.timer(ms, resolve));
  }

  #watched(text: string): Readable {
    this.#unread += 1;
    return Readable.from([Buffer.from(text)]).once('close', () => (this.#unread -= 1));
  }
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function refusalIn(status: number, action: string, text: string): string | null {
  if (status === 200 && action !== 'RunTask') return null;
  const { __type: type, failures = [] } = JSON.parse(text) as {
    readonly __type?: string;
    readonly failures?: readonly { readonly reason?: string }[];
  };
  return type ?? failures[0]?.reason ?? null;
}

let warm: Promise<void> | undefined;

/**
 * The SDK reads the machine's configuration files with the first call of a process, which takes real
 * time; from then on it takes none.
 */
export function warmUp(): Promise<void> {
  return (warm ??= callOnce());
}

async function callOnce(): Promise<void> {
  const fake = new FakeEcs({ clock: new FakeClock() });
  fake.addCluster('default');
  const { region } = fake.account;
  const requestHandler = inProcessHandler(fake);
  const client = new ECSClient({ region, credentials: CREDENTIALS, requestHandler });
  await client.send(new ListTasksCommand());
  client.destroy();
}
