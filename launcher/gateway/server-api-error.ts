/** Why a call of the server API is refused, in the form that LiveKit's clients read (Twirp's). */
import { z } from 'zod';

/** Twirp's codes that are used here, each with the HTTP status that belongs to it. */
const STATUS = {
  bad_route: 404,
  malformed: 400,
  unauthenticated: 401,
  permission_denied: 403,
  not_found: 404,
  deadline_exceeded: 408,
  resource_exhausted: 429,
  internal: 500,
  unavailable: 503,
} as const;

const TwirpBody = z.object({ code: z.string().regex(/^[a-z_]{1,32}$/), msg: z.string() });

/** Ends a call. The message is for the author of the agent: what is allowed, and what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** One of Twirp's codes. */
  readonly code: string;
  readonly status: number;
  /** Whose words: LiveKit's may name rooms and people, and belong into no log. */
  readonly by: 'launcher' | 'livekit';

  constructor(by: ApiError['by'], code: string, message: string, status: number) {
    super(message);
    this.by = by;
    this.code = code;
    this.status = status;
  }

  /** The answer's body, JSON also for callers that speak protobuf. */
  get body(): string {
    return JSON.stringify({ code: this.code, msg: this.message });
  }
}

/** An error of ours. */
export function apiError(code: keyof typeof STATUS, message: string): ApiError {
  return new ApiError('launcher', code, message, STATUS[code]);
}

/** LiveKit's own error as it is, code and message; null for a body that is none. */
export function passedOn(status: number, body: Buffer): ApiError | null {
  try {
    const { code, msg } = TwirpBody.parse(JSON.parse(body.toString()));
    return new ApiError('livekit', code, msg, status);
  } catch {
    return null;
  }
}
