/** A way for webhooks on which each is lost, or sent on once or many times, each copy late by chance. */
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';
import { delay, systemClock } from '../../launcher/lib/clock.ts';
import { waitFor } from '../support/wait.ts';
import type { Random } from './random.ts';

const LOST = 0.3;
const COPIES_MAX = 10;
const LATE_MAX_MS = 3_000;
const QUIET_DEADLINE_MS = 10_000;

export interface FaultyWebhooks extends AsyncDisposable {
  readonly url: string;
  passTo(target: string): void;
  /** How many came, how many of them were lost, how many copies went out. */
  counts(): { heard: number; lost: number; sent: number };
  /** Resolves once nothing that came so far is still on its way. */
  quiet(): Promise<void>;
}

export async function startFaultyWebhooks(random: Random): Promise<FaultyWebhooks> {
  const counts = { heard: 0, lost: 0, sent: 0 };
  let target = '';
  let underWay = 0;
  const send = async (lateMs: number, headers: IncomingHttpHeaders, body: string) => {
    underWay += 1;
    await delay(systemClock, lateMs);
    const { authorization = '', 'content-type': type = '' } = headers;
    const init = { method: 'POST', headers: { authorization, 'content-type': type }, body };
    // A launcher that is away loses it, as it would lose LiveKit's.
    await fetch(target, init).catch(() => {});
    underWay -= 1;
  };
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request);
    response.end();
    counts.heard += 1;
    const copies = random.chance(LOST) ? 0 : random.between(1, COPIES_MAX);
    if (copies === 0) counts.lost += 1;
    counts.sent += copies;
    for (let copy = 0; copy < copies; copy += 1) {
      void send(random.between(0, LATE_MAX_MS), request.headers, body);
    }
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    passTo: (url) => (target = url),
    counts: () => ({ ...counts }),
    async quiet() {
      await waitFor('the webhooks to arrive', () => underWay === 0, QUIET_DEADLINE_MS);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
