/**
 * Is this body LiveKit's? A webhook is signed by a token (JWT) in its Authorization header, without
 * "Bearer", that names the API key as its issuer and the body's SHA-256. Several keys may sign: the
 * project's own, and further ones during a change of keys.
 */
import { createHash } from 'node:crypto';
import { type WebhookEvent, WebhookReceiver } from 'livekit-server-sdk';
import type { Secret } from '../lib/secret.ts';

export interface WebhookKey {
  readonly key: string;
  readonly secret: Secret;
}

export type Verified =
  | { readonly outcome: 'genuine'; readonly event: WebhookEvent }
  | { readonly outcome: 'unsigned'; readonly reason: string }
  | { readonly outcome: 'malformed'; readonly reason: string };

/** Between LiveKit's clock and ours. Its tokens hold for five minutes. */
const CLOCK_TOLERANCE_SECONDS = 5;

const UNKNOWN_KEY =
  'signed with an API key that is not known here: add it with its secret to LAUNCHER_WEBHOOK_KEYS';
const WRONG_SECRET =
  'the signature does not fit the secret of its API key: check LAUNCHER_WEBHOOK_KEYS';

export type Verify = (body: string, authorization: string | undefined) => Promise<Verified>;

/** Makes the check for `keys`; two entries may share a key while its secret changes. */
export function webhookVerifier(keys: readonly WebhookKey[]): Verify {
  const receivers = keys.map(({ key, secret }) => ({
    key,
    receiver: new WebhookReceiver(key, secret.reveal()),
  }));
  return async (body, authorization) => {
    if (!authorization) return unsigned('no Authorization header');
    const claims = readClaims(authorization);
    if (!claims) return unsigned('the Authorization header is no LiveKit webhook token');
    const signers = receivers.filter(({ key }) => key === claims.issuer);
    if (signers.length === 0) return unsigned(UNKNOWN_KEY);
    let failure: Verified = unsigned('not verified');
    for (const { receiver } of signers) {
      try {
        const event = await receiver.receive(body, authorization, false, CLOCK_TOLERANCE_SECONDS);
        return { outcome: 'genuine', event };
      } catch (error) {
        failure = classify(error, body, claims);
        if (failure.outcome === 'malformed') return failure;
      }
    }
    return failure;
  };
}

function unsigned(reason: string): Verified {
  return { outcome: 'unsigned', reason };
}

interface Claims {
  readonly issuer: string;
  readonly sha256: string;
}

/** What the token claims, not yet verified: it only chooses the key to verify with. */
function readClaims(token: string): Claims | null {
  const [header, payload] = token.split('.').map(parsePart);
  if (header?.['alg'] !== 'HS256' || !payload) return null;
  const { iss, sha256 } = payload;
  if (typeof iss !== 'string' || typeof sha256 !== 'string') return null;
  return { issuer: iss, sha256 };
}

function parsePart(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

/**
 * Which check failed. The token library's errors carry a code; without one the token was good, and
 * either the body is not the one that was signed, or it is, and is no webhook event.
 */
function classify(error: unknown, body: string, claims: Claims): Verified {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_JWT_EXPIRED') return unsigned('the token has expired; compare the clocks');
  if (code !== undefined) return unsigned(WRONG_SECRET);
  if (createHash('sha256').update(body).digest('base64') !== claims.sha256) {
    return unsigned('the body is not the one that was signed');
  }
  return { outcome: 'malformed', reason: 'the body is no webhook event of LiveKit' };
}
