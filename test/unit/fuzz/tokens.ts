/** Tokens, good and bad, made by hand; and a judge of its own that shares no code with the project. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import * as fc from 'fast-check';

const DEFECTS = [
  'none',
  'empty',
  'garbage',
  'other-secret',
  'empty-secret',
  'other-issuer',
  'no-issuer',
  'odd-issuer',
  'alg-none',
  'alg-none-unsigned',
  'alg-case',
  'alg-hs512',
  'alg-rs256',
  'alg-list',
  'crit',
  'expired',
  'early',
  'no-end',
  'text-end',
  'endless',
  'flipped',
  'truncated',
  'two-parts',
  'four-parts',
  'padded',
  'payload-list',
  'payload-text',
  'payload-deep',
  'prototype',
] as const;

export interface TokenRecipe {
  /** Null: nothing is wrong with it. */
  readonly defect: (typeof DEFECTS)[number] | null;
  /** Where, for a defect that has a place. */
  readonly at: number;
  readonly text: string;
}

/** Half of the tokens are good, so that what stands around them is tried as well. */
export const tokenRecipe: fc.Arbitrary<TokenRecipe> = fc.record({
  defect: fc.option(fc.constantFrom(...DEFECTS), { freq: 2 }),
  at: fc.nat(100_000),
  text: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('a.b.c', '..', '.', 'null', 'e30.e30.e30', 'e30.bnVsbA.', '__proto__'),
  ),
});

export interface Signer {
  readonly issuer: string;
  readonly secret: string;
  /** What the token claims beside issuer and times. */
  readonly claims: Readonly<Record<string, unknown>>;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const nowSeconds = () => Math.floor(Date.now() / 1000);

/** The token, or null for none at all. */
export function makeToken({ defect, at, text }: TokenRecipe, signer: Signer): string | null {
  if (defect === 'none') return null;
  if (defect === 'empty') return '';
  if (defect === 'garbage') return text;
  const claims = claimsWith(defect, text, signer);
  const header = headerWith(defect);
  const secret = { 'other-secret': `${signer.secret}x`, 'empty-secret': '' }[String(defect)];
  const payload = defect === 'payload-deep' ? '['.repeat(4_000) : JSON.stringify(claims);
  const signed = `${encode(header)}.${Buffer.from(payload).toString('base64url')}`;
  const hash = defect === 'alg-hs512' ? 'sha512' : 'sha256';
  const signature = createHmac(hash, secret ?? signer.secret)
    .update(signed)
    .digest('base64url');
  return mangled(defect, at, signed, signature);
}

function headerWith(defect: TokenRecipe['defect']): object {
  const algorithms: Readonly<Record<string, unknown>> = {
    'alg-none': 'none',
    'alg-none-unsigned': 'none',
    'alg-case': 'hs256',
    'alg-hs512': 'HS512',
    'alg-rs256': 'RS256',
    'alg-list': ['HS256'],
  };
  const alg = algorithms[String(defect)] ?? 'HS256';
  return defect === 'crit' ? { alg, crit: ['x'], x: 1 } : { alg, typ: 'JWT' };
}

function claimsWith(defect: TokenRecipe['defect'], text: string, signer: Signer): unknown {
  const now = nowSeconds();
  const good = { ...signer.claims, iss: signer.issuer, nbf: now, exp: now + 300 };
  const changes: Readonly<Record<string, unknown>> = {
    'other-issuer': { ...good, iss: `${signer.issuer}0` },
    'no-issuer': { ...good, iss: undefined },
    'odd-issuer': { ...good, iss: [signer.issuer] },
    expired: { ...good, exp: now - 120 },
    early: { ...good, nbf: now + 120 },
    'no-end': { ...good, exp: undefined },
    'text-end': { ...good, exp: String(now + 300) },
    endless: { ...good, exp: null },
    'payload-list': [good],
    'payload-text': text,
    prototype: JSON.parse(`{"__proto__":${JSON.stringify(good)}}`),
  };
  return changes[String(defect)] ?? good;
}

function mangled(defect: TokenRecipe['defect'], at: number, signed: string, sig: string): string {
  const whole = `${signed}.${sig}`;
  const place = at % whole.length;
  switch (defect) {
    case 'flipped':
      return whole.slice(0, place) + (whole[place] === 'A' ? 'B' : 'A') + whole.slice(place + 1);
    case 'truncated':
      return whole.slice(0, place);
    case 'alg-none-unsigned':
      return `${signed}.`;
    case 'two-parts':
      return signed;
    case 'four-parts':
      return `${whole}.${sig}`;
    case 'padded':
      return `${whole}=`;
    default:
      return whole;
  }
}

/** What a good token claims, judged by this file alone; null for a bad one. */
export function judge(
  token: string | null,
  secretsOf: (issuer: string) => readonly string[],
): Readonly<Record<string, unknown>> | null {
  const [header = '', payload = '', signature = '', ...more] = (token ?? '').split('.');
  const { alg, crit } = parsed(header);
  const claims = parsed(payload);
  const { iss, exp, nbf } = claims;
  if (more.length > 0 || alg !== 'HS256' || crit !== undefined || typeof iss !== 'string') {
    return null;
  }
  const given = Buffer.from(signature, 'base64url');
  const signs = (secret: string) => {
    const own = createHmac('sha256', secret).update(`${header}.${payload}`).digest();
    return own.length === given.length && timingSafeEqual(own, given);
  };
  const now = nowSeconds();
  const inTime = typeof exp === 'number' && exp > now - 60;
  const begun = nbf === undefined || (typeof nbf === 'number' && nbf <= now + 60);
  return secretsOf(iss).some(signs) && inTime && begun ? claims : null;
}

function parsed(part: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}
