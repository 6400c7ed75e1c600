/**
 * Is this webhook LiveKit's? It is signed by a token (JWT) in its Authorization header, without
 * "Bearer", that names the API key as its issuer and the body's SHA-256. Several keys may sign: the
 * project's own, and further ones during a change of keys.
 *
 * Two steps, so that a stranger's body is never read: first the token alone, then the body.
 */
import { createHash } from 'node:crypto';
import { TokenVerifier, WebhookEvent } from 'livekit-server-sdk';
import type { Secret } from '../lib/secret.ts';
import {
  CLOCK_SKEW_MAX_SECONDS,
  isLiveKitSigned,
  tokenFault,
  type TokenFault,
  tokenPart,
} from '../lib/token-fault.ts';

export interface WebhookKey {
  readonly key: string;
  readonly secret: Secret;
}

/** A good token says which body it was made for; else why it is none, in one line. */
export type Signature = { readonly sha256: string } | { readonly refused: string };

export type Opened =
  | { readonly outcome: 'genuine'; readonly event: WebhookEvent }
  /** The body is not the one that was signed. */
  | { readonly outcome: 'unsigned'; readonly reason: string }
  | { readonly outcome: 'malformed'; readonly reason: string };

const REFUSED: Readonly<Record<TokenFault, string>> = {
  expired: 'the token has expired; compare the clocks',
  'not-yet': 'the token is not valid yet; compare the clocks',
  'no-times': 'the token says no times for which it holds',
  unsigned: 'the signature does not fit the secret of its API key: check LAUNCHER_WEBHOOK_KEYS',
};
const UNKNOWN_KEY =
  'signed with an API key that is not known here: add it with its secret to LAUNCHER_WEBHOOK_KEYS';

export type CheckSignature = (authorization: string | undefined) => Promise<Signature>;

/**
 * Makes the check for `keys`; two entries may share a key while its secret changes. Clocks may
 * differ by `CLOCK_SKEW_MAX_SECONDS`.
 */
export function signatureCheck(keys: readonly WebhookKey[]): CheckSignature {
  const verifiers = keys.map(({ key, secret }) => ({
    key,
    verifier: new TokenVerifier(key, secret.reveal()),
  }));
  return async (token) => {
    if (!token) return { refused: 'no Authorization header' };
    const { iss, sha256 } = tokenPart(token, 1) ?? {};
    if (typeof iss !== 'string' || typeof sha256 !== 'string' || !isLiveKitSigned(token)) {
      return { refused: 'the Authorization header is no LiveKit webhook token' };
    }
    const signers = verifiers.filter(({ key }) => key === iss);
    if (signers.length === 0) return { refused: UNKNOWN_KEY };
    let fault: TokenFault = 'unsigned';
    for (const { verifier } of signers) {
      try {
        await verifier.verify(token, CLOCK_SKEW_MAX_SECONDS);
        return { sha256 };
      } catch (error) {
        const found = tokenFault(error);
        // The secret that fits says more than those that do not.
        if (found !== 'unsigned') fault = found;
      }
    }
    return { refused: REFUSED[fault] };
  };
}

/** Reads the body that a good token was made for. */
export function openBody(body: Buffer, { sha256 }: { readonly sha256: string }): Opened {
  if (createHash('sha256').update(body).digest('base64') !== sha256) {
    return { outcome: 'unsigned', reason: 'the body is not the one that was signed' };
  }
  try {
    const content: unknown = JSON.parse(body.toString());
    const event = WebhookEvent.fromJson(content as Json, { ignoreUnknownFields: true });
    return { outcome: 'genuine', event };
  } catch {
    return { outcome: 'malformed', reason: 'the body is no webhook event of LiveKit' };
  }
}

type Json = Parameters<typeof WebhookEvent.fromJson>[0];
