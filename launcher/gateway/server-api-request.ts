/** What a call of the server API asks for, read from its HTTP request. */
import type { IncomingMessage } from 'node:http';
import { readLimited } from '../lib/read-limited.ts';
import { ROOM_SERVICE_PATH } from './server-api-call.ts';
import type { ApiMethod, ApiRequest, Encoding } from './server-api-codec.ts';
import { apiError } from './server-api-error.ts';
import { METHODS } from './server-api-methods.ts';

/** Far above the data and metadata that LiveKit takes. */
export const MAX_REQUEST_BYTES = 256 * 1024;

const ENCODINGS: ReadonlyMap<string, Encoding> = new Map([
  ['application/protobuf', 'protobuf'],
  ['application/json', 'json'],
]);

const ALLOWED =
  `a task may call ${[...METHODS.keys()].join(', ')} of RoomService, for its own room; ` +
  'have all else done by a service of yours that has an API key of the project';

/** Is this a path of LiveKit's server API? */
export function isServerApiPath(target: string | undefined): boolean {
  return target?.startsWith('/twirp/') ?? false;
}

/** The method that is called. Throws `ApiError` for all that a task may not call. */
export function calledMethod(request: IncomingMessage): { name: string; method: ApiMethod } {
  const path = request.url?.split('?', 1)[0] ?? '';
  if (request.method !== 'POST') throw apiError('bad_route', 'calls are made by POST');
  const name = path.startsWith(ROOM_SERVICE_PATH) ? path.slice(ROOM_SERVICE_PATH.length) : '';
  const method = METHODS.get(name);
  if (method === undefined) throw apiError('permission_denied', ALLOWED);
  return { name, method };
}

/** By the content type, as LiveKit reads it. Throws `ApiError`. */
export function encodingOf(request: IncomingMessage): Encoding {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const encoding = ENCODINGS.get(type);
  if (encoding !== undefined) return encoding;
  throw apiError('bad_route', `the content type must be ${[...ENCODINGS.keys()].join(' or ')}`);
}

/** Reads the body, which may be too large, cut off, or no request of this method: `ApiError`. */
export async function readRequest(
  request: IncomingMessage,
  method: ApiMethod,
  encoding: Encoding,
): Promise<ApiRequest> {
  const body = await readBody(request);
  if (body === null) {
    throw apiError('malformed', `the body has more than ${MAX_REQUEST_BYTES} bytes`);
  }
  try {
    return method.read(body, encoding);
  } catch {
    throw apiError('malformed', `the body is no request of this method in ${encoding}`);
  }
}

/** Null: too large. The line stays open for the answer. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  try {
    return await readLimited(request, MAX_REQUEST_BYTES);
  } catch {
    throw apiError('malformed', 'the body ended too early');
  }
}
