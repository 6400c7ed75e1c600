/**
 * Task credentials: the key and secret that a task holds in place of the project's own.
 *
 * The key is the task's key; the secret is derived from it and the gateway's secret. So there is
 * nothing to store, any launcher of the deployment verifies it, and a repeated launch hands out the
 * same bytes. Such a pair opens this gateway for that one task, and nothing at LiveKit.
 */
import { createHmac } from 'node:crypto';
import { TokenVerifier } from 'livekit-server-sdk';
import { isTaskKey, type TaskKey } from '../driver.ts';
import { Secret } from '../lib/secret.ts';

/** How far the clocks of a task's host and of ours may differ. */
const CLOCK_TOLERANCE_SECONDS = 60;

const NO_TASK =
  "the token's API key is not a task's: use the LIVEKIT_API_KEY that the launcher set";
const UNSIGNED =
  "the token is not signed with its task's secret: " +
  'use the LIVEKIT_API_SECRET that the launcher set';
const NO_GRANT = 'the token has no agent grant';
const EXPIRED = 'the token has expired: compare the clocks';

/** The bearer of a good token, or in one line why it is none, and whose it says that it is. */
export type TokenCheck =
  { readonly key: TaskKey } | { readonly refused: string; readonly claims?: TaskKey };

/** The secret that goes with a task's key: the task's LIVEKIT_API_SECRET. */
export function taskSecret(gatewaySecret: Secret, deployment: string, key: TaskKey): Secret {
  const hmac = createHmac('sha256', gatewaySecret.reveal());
  return new Secret(hmac.update(`${deployment}/${key}`).digest('base64url'));
}

/**
 * Checks the `Authorization` header that LiveKit's workers send: a JWT (HS256) signed with the
 * task's secret, whose issuer is the task's key, with the `agent` grant and an expiry. Any of
 * `gatewaySecrets` may have derived the task's secret, so that they can be rotated.
 */
export async function verifyTaskToken(
  gatewaySecrets: readonly Secret[],
  deployment: string,
  authorization: string | undefined,
): Promise<TokenCheck> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) return { refused: 'no Authorization header with a bearer token' };
  const key = unverifiedIssuer(token);
  if (key === null) return { refused: NO_TASK };
  let expired = false;
  for (const gatewaySecret of gatewaySecrets) {
    const secret = taskSecret(gatewaySecret, deployment, key).reveal();
    try {
      const claims = await new TokenVerifier(key, secret).verify(token, CLOCK_TOLERANCE_SECONDS);
      return claims.video?.agent === true ? { key } : { refused: NO_GRANT, claims: key };
    } catch (error) {
      expired ||= hasCode(error, 'ERR_JWT_EXPIRED');
    }
  }
  return { refused: expired ? EXPIRED : UNSIGNED, claims: key };
}

/** Which task the token says it is for. Decides which secret to check it with, and no more. */
function unverifiedIssuer(token: string): TaskKey | null {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
    const claims: unknown = JSON.parse(payload);
    if (typeof claims !== 'object' || claims === null || !('iss' in claims)) return null;
    return typeof claims.iss === 'string' && isTaskKey(claims.iss) ? claims.iss : null;
  } catch {
    return null;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
