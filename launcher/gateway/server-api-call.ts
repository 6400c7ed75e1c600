/** One call of LiveKit's room service, in protobuf: the request out, the answer or its error back. */
import { readLimited } from '../lib/read-limited.ts';
import { type ApiError, apiError, passedOn } from './server-api-error.ts';

/** Where LiveKit's room service is, below the server's address. */
export const ROOM_SERVICE_PATH = '/twirp/livekit.RoomService/';
/** A list of some thousand participants with full metadata. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface RoomServiceCall {
  /** The server's URL, `http(s)://`. */
  readonly url: string;
  readonly method: string;
  readonly token: string;
  readonly body: Uint8Array;
}

/**
 * Resolves with LiveKit's answer. Rejects with `ApiError`: LiveKit's own error, or one of ours
 * where LiveKit gave none that a task may see, also when `signal` aborts.
 */
export async function callRoomService(
  { url, method, token, body }: RoomServiceCall,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/protobuf' };
  const init: RequestInit = { method: 'POST', headers, body, signal, redirect: 'error' };
  let response: Response;
  let answer: Buffer | null;
  try {
    response = await fetch(new URL(ROOM_SERVICE_PATH + method, url), init);
    answer = await readLimited(response.body ?? [], MAX_ANSWER_BYTES);
  } catch {
    throw apiError('unavailable', 'LiveKit does not answer: try again');
  }
  if (answer === null) {
    throw apiError('internal', `LiveKit's answer has more than ${MAX_ANSWER_BYTES} bytes`);
  }
  if (!response.ok) throw errorOf(response.status, answer);
  return answer;
}

/**
 * LiveKit's refusals of the credential are the launcher's affair: they name its key, or the whole
 * token. What is no error of Twirp's form comes from something in between.
 */
function errorOf(status: number, answer: Buffer): ApiError {
  if (status === 401 || status === 403) {
    return apiError('internal', "LiveKit refused the launcher's own credential");
  }
  return passedOn(status, answer) ?? apiError('unavailable', `LiveKit answered ${status}`);
}
