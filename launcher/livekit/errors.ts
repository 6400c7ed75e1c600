/**
 * What can go wrong when LiveKit is asked, told apart by HTTP status and error code, in one place.
 *
 * `unauthorized`: key or secret do not fit the server. `unavailable`: no usable answer, worth
 * repeating. `invalid`: something answered that is no LiveKit server, or refused the request.
 */
import { ServerError } from 'livekit-server-sdk';

export class LiveKitError extends Error {
  override readonly name = 'LiveKitError';
  readonly kind: 'unauthorized' | 'unavailable' | 'invalid';
  constructor(kind: LiveKitError['kind'], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** What an error message may name: never the secret. */
export interface Endpoint {
  readonly url: string;
  readonly apiKey: string;
}

const TOO_MANY_REQUESTS = 429;
const REQUEST_TIMEOUT = 408;

/**
 * LiveKit's SDK throws `ServerError` for a status, and lets through what `fetch` throws (a
 * `TypeError`, or a `DOMException` when time is up) and what reading the answer throws.
 */
export function toLiveKitError(error: unknown, endpoint: Endpoint): LiveKitError {
  if (error instanceof ServerError) return fromStatus(error, endpoint);
  if (error instanceof TypeError || error instanceof DOMException) {
    const message = `LIVEKIT_URL is ${endpoint.url}: no answer (${transportCode(error)})`;
    return new LiveKitError('unavailable', message, { cause: error });
  }
  const message = `LIVEKIT_URL is ${endpoint.url}: what answers there is no LiveKit server`;
  return new LiveKitError('invalid', message, { cause: error });
}

/** The caller gave up, or the time limit passed, before LiveKit answered. */
export function noAnswer(signal: AbortSignal, endpoint: Endpoint): LiveKitError {
  const message = `LIVEKIT_URL is ${endpoint.url}: no answer before the request was given up`;
  return new LiveKitError('unavailable', message, { cause: signal.reason });
}

function fromStatus(error: ServerError, endpoint: Endpoint): LiveKitError {
  const { status } = error;
  const options = { cause: error };
  if (status === 401 || status === 403) {
    return new LiveKitError(
      'unauthorized',
      `LiveKit at ${endpoint.url} refused the API key ${endpoint.apiKey} (${status}): check ` +
        `LIVEKIT_API_KEY and LIVEKIT_API_SECRET, and this machine's clock`,
      options,
    );
  }
  const code = error.code === undefined ? '' : ` ${error.code}`;
  if (status >= 500 || status === TOO_MANY_REQUESTS || status === REQUEST_TIMEOUT) {
    const message = `LiveKit at ${endpoint.url} cannot answer now (${status}${code})`;
    return new LiveKitError('unavailable', message, options);
  }
  const message =
    `LiveKit at ${endpoint.url} refused the request (${status}${code}): ` +
    'check that LIVEKIT_URL is a LiveKit server of a current version';
  return new LiveKitError('invalid', message, options);
}

/** Node's `fetch` hides the socket's or the certificate's error code in `cause`. */
function transportCode(error: TypeError | DOMException): string {
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') {
    return cause.code;
  }
  return error.name;
}
