/**
 * Hints of changes from the queue that an EventBridge rule feeds. A message is deleted once it was
 * taken in, also one that nobody can read: it would come again for days.
 *
 * Several launchers may share a queue: each gets a part of the hints, and hints may be lost.
 */
import { setMaxListeners } from 'node:events';
import type { Message } from '@aws-sdk/client-sqs';
import { type Clock, delay } from '../../lib/clock.ts';
import { type Log, reasonOf } from '../../lib/log.ts';
import { Outage } from '../../lib/outage.ts';
import { changeOf, Newest } from './event.ts';
import { Pacer } from './pacer.ts';
import { type EventQueue, MESSAGES_MAX } from './queue.ts';

const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_MAX_MS = 30_000;
/** For a queue that does not wait for messages, or has very many. */
const POLLS = { burst: 10, perSecond: 5 };

export interface WatchParts {
  readonly queue: Pick<EventQueue, 'receive' | 'delete' | 'close'>;
  readonly deployment: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** Nudges once for all news that arrive together, until it is disposed of. */
export function watchQueue(parts: WatchParts, nudge: () => void): AsyncDisposable {
  const { queue, deployment, clock, log } = parts;
  const end = new AbortController();
  const { signal } = end;
  // Deletions of a batch listen to it at once, which Node would take for a leak.
  setMaxListeners(2 * MESSAGES_MAX, signal);
  const newest = new Newest();
  const isNews = ({ Body = '' }: Message) => {
    const change = changeOf(Body, deployment);
    return change !== null && newest.isNews(change);
  };
  const pacer = new Pacer(clock, POLLS);
  const poll = async () => {
    await pacer.turn(signal);
    const messages = await queue.receive(signal);
    // Each is taken in.
    const news = messages.filter(isNews);
    if (news.length > 0 && !signal.aborted) nudge();
    await Promise.all(messages.map((message) => queue.delete(message, signal)));
  };
  const watching = async () => {
    const outage = new Outage('the queue of hints (LAUNCHER_ECS_EVENTS_QUEUE_URL)', clock, log);
    let backoffMs = BACKOFF_FIRST_MS;
    while (!signal.aborted) {
      try {
        await poll();
        outage.succeeded();
        backoffMs = BACKOFF_FIRST_MS;
      } catch (error) {
        if (signal.aborted) break;
        outage.failed(reasonOf(error));
        await delay(clock, backoffMs, signal);
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
      }
    }
  };
  const watched = watching();
  return {
    async [Symbol.asyncDispose]() {
      end.abort();
      await watched;
      queue.close();
    },
  };
}
