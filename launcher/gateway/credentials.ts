/**
 * Task credentials: the key and secret that a task holds in place of the project's own.
 *
 * The key is the task's key; the secret is derived from it and the gateway's secret. So there is
 * nothing to store, any launcher of the deployment verifies it, and a repeated launch hands out the
 * same bytes. Such a pair opens this gateway for that one task, and nothing at LiveKit.
 */
import { createHmac } from 'node:crypto';
import { TokenVerifier, type VideoGrant } from 'livekit-server-sdk';
import { isTaskKey, type TaskKey } from '../driver.ts';
import { Secret } from '../lib/secret.ts';
import {
  CLOCK_SKEW_MAX_SECONDS,
  isLiveKitSigned,
  TOKEN_ALGORITHM,
  tokenFault,
  type TokenFault,
  tokenPart,
} from '../lib/token-fault.ts';

const NO_TASK =
  "the token's API key is not a task's: use the LIVEKIT_API_KEY that the launcher set";
const ALGORITHM = `the token is not signed by ${TOKEN_ALGORITHM}, as LiveKit's SDKs sign`;
const REFUSED: Readonly<Record<TokenFault, string>> = {
  expired: 'the token has expired: compare the clocks',
  'not-yet': 'the token is not valid yet: compare the clocks',
  'no-times': 'the token says no times for which it holds',
  unsigned:
    "the token is not signed with its task's secret: " +
    'use the LIVEKIT_API_SECRET that the launcher set',
};

/** The bearer of a good token, or in one line why it is none. */
export type TokenCheck = { readonly key: TaskKey } | RefusedToken;

export interface RefusedToken {
  readonly refused: string;
  /** Whose it says that it is; nothing proves it. */
  readonly claims?: TaskKey;
  /** No secret of ours made its signature. */
  readonly unsigned?: true;
}

/** The bearer of a good token for the server API, and what the token grants. */
export interface CallToken {
  readonly key: TaskKey;
  readonly grants: VideoGrant;
}

/** The secret that goes with a task's key: the task's LIVEKIT_API_SECRET. */
export function taskSecret(gatewaySecret: Secret, deployment: string, key: TaskKey): Secret {
  const hmac = createHmac('sha256', gatewaySecret.reveal());
  return new Secret(hmac.update(`${deployment}/${key}`).digest('base64url'));
}

/**
 * Checks the `Authorization` header that LiveKit's workers send: a token as `verifyCallToken` wants
 * it, with the `agent` grant.
 */
export async function verifyTaskToken(
  gatewaySecrets: readonly Secret[],
  deployment: string,
  authorization: string | undefined,
): Promise<TokenCheck> {
  const check = await verifyCallToken(gatewaySecrets, deployment, authorization);
  if ('refused' in check) return check;
  return check.grants.agent === true
    ? { key: check.key }
    : { refused: 'the token has no agent grant', claims: check.key };
}

/**
 * Checks the `Authorization` header of a call of LiveKit's server API: a JWT (HS256) signed with the
 * task's secret, whose issuer is the task's key, with an expiry. Any of `gatewaySecrets` may have
 * derived the task's secret, so that they can be rotated. Clocks may differ by
 * `CLOCK_SKEW_MAX_SECONDS`.
 */
export async function verifyCallToken(
  gatewaySecrets: readonly Secret[],
  deployment: string,
  authorization: string | undefined,
): Promise<CallToken | RefusedToken> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return { refused: 'no Authorization header with a bearer token' };
  const iss = tokenPart(token, 1)?.['iss'];
  if (typeof iss !== 'string' || !isTaskKey(iss)) return { refused: NO_TASK };
  if (!isLiveKitSigned(token)) return { refused: ALGORITHM, claims: iss };
  let fault: TokenFault = 'unsigned';
  for (const gatewaySecret of gatewaySecrets) {
    const secret = taskSecret(gatewaySecret, deployment, iss).reveal();
    try {
      const claims = await new TokenVerifier(iss, secret).verify(token, CLOCK_SKEW_MAX_SECONDS);
      return { key: iss, grants: claims.video ?? {} };
    } catch (error) {
      const found = tokenFault(error);
      // The secret that fits says more than those that do not.
      if (found !== 'unsigned') fault = found;
    }
  }
  return { refused: REFUSED[fault], claims: iss, ...(fault === 'unsigned' && { unsigned: true }) };
}
