/**
 * Why a signed token (JWT) is refused, told from the token library's error: by its code and by the
 * claim that it names, never by its text.
 */

/**
 * How far the clock of a token's maker and ours may differ, either way. LiveKit's server allows its
 * own callers the same minute; its webhook tokens hold from now on for five minutes.
 */
export const CLOCK_SKEW_MAX_SECONDS = 60;

/** The algorithm that LiveKit's SDKs and server sign with, and the only one that counts. */
export const TOKEN_ALGORITHM = 'HS256';

export type TokenFault =
  /** Its end lies further back than clocks may differ. */
  | 'expired'
  /** Its begin lies further ahead than clocks may differ. */
  | 'not-yet'
  /** It is signed, but its times are missing or no numbers. */
  | 'no-times'
  /** The signature does not fit, or it is no such token at all. */
  | 'unsigned';

/** Whatever is not known to be about the token's times counts as unsigned: it is refused. */
export function tokenFault(error: unknown): TokenFault {
  if (!(error instanceof Error) || !('code' in error)) return 'unsigned';
  const { code } = error;
  if (code === 'ERR_JWT_EXPIRED') return 'expired';
  if (code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return 'unsigned';
  const claim = 'claim' in error ? error.claim : undefined;
  const reason = 'reason' in error ? error.reason : undefined;
  return claim === 'nbf' && reason === 'check_failed' ? 'not-yet' : 'no-times';
}

/** The token's header, not yet verified: whether it says to be signed as LiveKit signs. */
export function isLiveKitSigned(token: string): boolean {
  return tokenPart(token, 0)?.['alg'] === TOKEN_ALGORITHM;
}

/** Header (0) or claims (1) of a token, not yet verified. Null for what is no token. */
export function tokenPart(token: string, part: 0 | 1): Readonly<Record<string, unknown>> | null {
  try {
    const text = Buffer.from(token.split('.')[part] ?? '', 'base64url').toString();
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
