/** Looks at LiveKit, bounded in time: whatever goes wrong reads as "look again later". */
import type { TaskKey } from '../driver.ts';
import type { Clock } from '../lib/clock.ts';
import { reasonOf } from '../lib/log.ts';
import type { GatewayHost, Look } from './ports.ts';

/**
 * Well below the 7.5 s for which a worker that accepted an offer waits for its assignment, because
 * a slow answer is followed by a second look.
 */
export const LOOK_TIMEOUT_MS = 5_000;

/** The host's look. Never rejects; settles when `signal` aborts or after `LOOK_TIMEOUT_MS`. */
export function lookOnce(
  host: Pick<GatewayHost, 'look'>,
  key: TaskKey,
  clock: Clock,
  signal: AbortSignal,
): Promise<Look> {
  const own = new AbortController();
  return new Promise((resolve) => {
    const settle = (look: Look) => {
      cancel();
      signal.removeEventListener('abort', aborted);
      own.abort();
      resolve(look);
    };
    const wait = (reason: string) => settle({ decision: 'wait', reason });
    const aborted = () => wait('no longer wanted');
    const cancel = clock.timer(LOOK_TIMEOUT_MS, () =>
      wait(`no answer within ${LOOK_TIMEOUT_MS} ms`),
    );
    signal.addEventListener('abort', aborted, { once: true });
    ask(host, key, own.signal).then(settle, (error: unknown) => wait(reasonOf(error)));
  });
}

/** Turns whatever the host throws into a rejection. */
async function ask(
  host: Pick<GatewayHost, 'look'>,
  key: TaskKey,
  signal: AbortSignal,
): Promise<Look> {
  return host.look(key, signal);
}
