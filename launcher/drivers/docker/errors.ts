/**
 * Tells the engine's errors apart, by HTTP status or system code, in this one place. The engine's
 * words are passed on to people and never read.
 */
import { DriverError, type LaunchResult, type RefusalReason, type Retry } from '../../driver.ts';
import { reasonOf } from '../../lib/log.ts';

export type Refused = Extract<LaunchResult, { outcome: 'refused' }>;

export function refused(reason: RefusalReason, retry: Retry, detail: string): Refused {
  return { outcome: 'refused', reason, retry, detail };
}

/** HTTP status of an answer that was no success; null for everything else. */
export function statusOf(error: unknown): number | null {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : null;
}

/** What the client library writes before the words of an answer that it does not keep otherwise. */
const LIBRARY_WORDS = /^\(HTTP code \d+\) [a-z ]+ - /;

/** What the engine said, in one line, without the client library's own words around it. */
export function wordsOf(error: unknown): string {
  const body: unknown = error instanceof Error && 'json' in error ? error.json : null;
  const words = typeof body === 'object' && body !== null && 'message' in body ? body.message : '';
  if (typeof words === 'string' && words !== '') return reasonOf(words);
  return reasonOf(error).replace(LIBRARY_WORDS, '');
}

/** Statuses that a proxy gives for an engine that did not answer it. */
const LOST_ANSWERS = new Set([502, 503, 504]);

/**
 * A failed step of a launch as a refusal; null where the engine's decision is not known.
 * An engine that runs out of something (disk, memory, addresses) says 500 like one with a fault:
 * both are worth the same key again, until the start deadline.
 */
export function refusalOf(error: unknown): Refused | null {
  const status = statusOf(error);
  const words = wordsOf(error);
  if (status === null || LOST_ANSWERS.has(status)) return null;
  if (status === 400) return refused('invalid', 'never', words);
  if (status === 401 || status === 403) return refused('denied', 'never', words);
  if (status === 429) return refused('throttled', 'same-key', words);
  return refused('capacity', 'same-key', words);
}

/** A failed pull: the registry does not have the image, does not give it, or does not answer. */
export function pullRefusalOf(image: string, error: unknown): Refused {
  const known = [400, 401, 403, 404].includes(statusOf(error) ?? 0);
  const detail = `the engine does not have image ${image} and cannot pull it: ${wordsOf(error)}`;
  return refused('image', known ? 'never' : 'same-key', detail);
}

const BY_CODE: Readonly<Record<string, readonly [DriverError['kind'], string]>> = {
  ENOENT: ['unavailable', 'there is no such socket; is Docker running, and is DOCKER_HOST right?'],
  ENOTSOCK: ['unavailable', 'that is no socket; is DOCKER_HOST right?'],
  ECONNREFUSED: ['unavailable', 'nothing listens there; is Docker running?'],
  ENOTFOUND: ['unavailable', 'the host name cannot be resolved; is DOCKER_HOST right?'],
  EACCES: ['denied', 'no permission; add this user to the group of the socket'],
  EPERM: ['denied', 'no permission; add this user to the group of the socket'],
};

const BY_STATUS: Readonly<Record<number, DriverError['kind']>> = {
  400: 'invalid',
  401: 'denied',
  403: 'denied',
  404: 'invalid',
  409: 'conflict',
  429: 'throttled',
};

/** Any error of a call, as the contract's; `address` is where the engine was looked for. */
export function driverErrorOf(error: unknown, address: string): DriverError {
  if (error instanceof DriverError) return error;
  const status = statusOf(error);
  if (status !== null) {
    return new DriverError(BY_STATUS[status] ?? 'unavailable', wordsOf(error), { cause: error });
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const [kind, advice] = BY_CODE[code] ?? ['unavailable', reasonOf(error)];
  return new DriverError(kind, `the Docker engine at ${address}: ${advice}`, { cause: error });
}
