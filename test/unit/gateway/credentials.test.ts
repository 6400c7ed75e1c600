import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import { taskSecret, verifyTaskToken } from '../../../launcher/gateway/credentials.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { KEY } from './fixture.ts';

const SECRET = new Secret('gateway-secret');
const OLDER = new Secret('the-secret-before');

async function header(
  key: string,
  secret: string,
  grant: VideoGrant | null = { agent: true },
  ttl: number | string = 60,
): Promise<string> {
  const token = new AccessToken(key, secret, { ttl });
  if (grant) token.addGrant(grant);
  return `Bearer ${await token.toJwt()}`;
}

const own = taskSecret(SECRET, 'blue', KEY).reveal();

describe('task credentials', () => {
  it('derive the secret from gateway secret, deployment and key, the same on every call', () => {
    const expected = createHmac('sha256', 'gateway-secret').update(`blue/${KEY}`);
    expect(own).toBe(expected.digest('base64url'));
    const others = [
      taskSecret(OLDER, 'blue', KEY),
      taskSecret(SECRET, 'green', KEY),
      taskSecret(SECRET, 'blue', 'r-RM_abc-2' as TaskKey),
    ];
    for (const other of others) expect(other.reveal()).not.toBe(own);
  });

  it('let the task in that they were made for', async () => {
    const check = await verifyTaskToken([SECRET], 'blue', await header(KEY, own));
    expect(check).toEqual({ key: KEY });
  });

  it('stay good while the gateway secret is rotated', async () => {
    const older = taskSecret(OLDER, 'blue', KEY).reveal();
    const authorization = await header(KEY, older);
    expect(await verifyTaskToken([SECRET, OLDER], 'blue', authorization)).toEqual({ key: KEY });
    expect(await verifyTaskToken([SECRET], 'blue', authorization)).toHaveProperty('refused');
  });

  const UNSIGNED = "the token is not signed with its task's secret: use the LIVEKIT_API_SECRET";
  const NO_TASK = "the token's API key is not a task's: use the LIVEKIT_API_KEY";
  const NO_BEARER = 'no Authorization header with a bearer token';
  it.each<[string, () => string | undefined | Promise<string>, string]>([
    ['no header', () => undefined, NO_BEARER],
    ['another scheme', () => 'Basic abc', NO_BEARER],
    ['no JWT', () => 'Bearer abc', NO_TASK],
    ['a JWT of nobody', () => 'Bearer a.e30.c', NO_TASK],
    ['a payload that is null', () => `Bearer a.${btoa('null')}.c`, NO_TASK],
    ['a key that is no task', () => header('devkey', own), NO_TASK],
    ['a wrong secret', () => header(KEY, 'guess'), UNSIGNED],
    ["another task's secret", () => header('r-RM_abc-2', own), UNSIGNED],
    ['no grants', () => header(KEY, own, null), 'the token has no agent grant'],
    [
      'no agent grant',
      () => header(KEY, own, { roomCreate: true }),
      'the token has no agent grant',
    ],
    ['an old token', () => header(KEY, own, { agent: true }, '-2m'), 'the token has expired'],
  ])('refuse %s', async (_name, authorization, refused) => {
    const check = await verifyTaskToken([SECRET], 'blue', await authorization());
    expect(check).toMatchObject({ refused: expect.stringContaining(refused) });
    expect(check).not.toHaveProperty('key');
  });

  it('refuse a token of another deployment', async () => {
    const check = await verifyTaskToken([SECRET], 'green', await header(KEY, own));
    expect(check).toHaveProperty('refused');
  });

  it('tolerate clocks that differ by less than a minute', async () => {
    const check = await verifyTaskToken(
      [SECRET],
      'blue',
      await header(KEY, own, { agent: true }, '-30s'),
    );
    expect(check).toEqual({ key: KEY });
  });

  it('refuse an unsigned token', async () => {
    const claims = { iss: KEY, exp: 4_000_000_000, video: { agent: true } };
    const [head, body] = [{ alg: 'none' }, claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    const check = await verifyTaskToken([SECRET], 'blue', `Bearer ${head}.${body}.`);
    expect(check).toHaveProperty('refused');
  });

  it('refuse whatever else stands in the header, and never throw', async () => {
    const part = fc.oneof(
      fc.base64String(),
      fc.json().map((json) => btoa(encodeURI(json))),
    );
    const tokens = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => `Bearer ${parts.join('.')}`),
    );
    await fc.assert(
      fc.asyncProperty(tokens, async (text) => {
        expect(await verifyTaskToken([SECRET], 'blue', text)).toHaveProperty('refused');
      }),
    );
  });
});
