import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { AccessToken, type VideoGrant } from 'livekit-server-sdk';
import { describe, expect, it } from 'vitest';
import type { TaskKey } from '../../../launcher/driver.ts';
import {
  taskSecret,
  verifyCallToken,
  verifyTaskToken,
} from '../../../launcher/gateway/credentials.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { CLOCK_SKEW_MAX_SECONDS } from '../../../launcher/lib/token-fault.ts';
import { KEY } from './fixture.ts';

const SECRET = new Secret('gateway-secret');
const OLDER = new Secret('the-secret-before');

const nowSeconds = () => Math.floor(Date.now() / 1000);

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

const named = async (authorization: string) =>
  'unsigned' in (await verifyTaskToken([SECRET, OLDER], 'blue', authorization));

const forged = (claims: object, alg: 'HS256' | 'HS512' = 'HS256', secret = own) => {
  const all = { iss: KEY, exp: 4_000_000_000, video: { agent: true }, ...claims };
  const text = [{ alg }, all]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const hmac = createHmac(alg.replace('HS', 'sha'), secret).update(text);
  return `Bearer ${text}.${hmac.digest('base64url')}`;
};

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
  });

  it('say of which task a token says to be when no secret of ours signed it, and only then', async () => {
    expect(await named(await header(KEY, 'guess'))).toBe(true);
    expect(await named(await header(KEY, own, { agent: true }, '-2m'))).toBe(false);
    expect(await named(await header('devkey', 'guess'))).toBe(false);
  });

  it('refuse a token of another deployment', async () => {
    const check = await verifyTaskToken([SECRET], 'green', await header(KEY, own));
    expect(check).toHaveProperty('refused');
  });

  const { max, over } = { max: CLOCK_SKEW_MAX_SECONDS - 5, over: CLOCK_SKEW_MAX_SECONDS + 5 };

  it.each<[string, () => object]>([
    ['behind', () => ({ exp: nowSeconds() - max })],
    ['ahead', () => ({ nbf: nowSeconds() + max })],
  ])("tolerate a task's clock that is less than a minute %s", async (_title, claims) => {
    const check = await verifyTaskToken([SECRET], 'blue', forged(claims()));
    expect(check).toEqual({ key: KEY });
  });

  it.each<[string, () => object, string]>([
    ['behind', () => ({ exp: nowSeconds() - over }), 'the token has expired: compare the clocks'],
    [
      'ahead',
      () => ({ nbf: nowSeconds() + over }),
      'the token is not valid yet: compare the clocks',
    ],
    ['unknown', () => ({ exp: undefined }), 'the token says no times for which it holds'],
  ])("name a task's clock that is more than a minute %s", async (_title, claims, refused) => {
    // Whichever of the secrets fits: those that do not say nothing about the clock.
    const both = [
      [SECRET, OLDER],
      [OLDER, SECRET],
    ];
    for (const secrets of both) {
      expect(await verifyTaskToken(secrets, 'blue', forged(claims()))).toEqual({
        refused,
        claims: KEY,
      });
    }
  });

  it('refuse a good signature of another kind', async () => {
    const check = await verifyTaskToken([SECRET], 'blue', forged({}, 'HS512'));
    expect(check).toMatchObject({ refused: expect.stringContaining('not signed by HS256') });
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

describe('a token for the server API', () => {
  it('is good with any grant, which it tells, or with none', async () => {
    for (const grants of [{ roomAdmin: true, room: 'a' }, { roomCreate: true }, {}]) {
      const check = await verifyCallToken([SECRET], 'blue', await header(KEY, own, grants));
      expect(check).toEqual({ key: KEY, grants });
    }
    const bare = await header(KEY, own, null);
    expect(await verifyCallToken([SECRET], 'blue', bare)).toEqual({ key: KEY, grants: {} });
  });

  it("is refused as a worker's is", async () => {
    for (const bad of [undefined, 'Bearer x', await header(KEY, 'another', { roomList: true })]) {
      expect(await verifyCallToken([SECRET], 'blue', bad)).toHaveProperty('refused');
    }
    const expired = await header(KEY, own, { roomList: true }, -120);
    const check = await verifyCallToken([SECRET], 'blue', expired);
    expect(check).toMatchObject({ refused: expect.stringMatching(/expired/) });
  });
});
