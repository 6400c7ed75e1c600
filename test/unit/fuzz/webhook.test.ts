/** The webhook listener against whatever a stranger may send, byte by byte. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../launcher/lib/clock.ts';
import { HTTP_LIMITS } from '../../../launcher/lib/http-server.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { createWebhookListener, type WebhookListener } from '../../../launcher/webhook/listener.ts';
import { waitFor } from '../../support/wait.ts';
import { CountingLog } from './counting-log.ts';
import {
  exchange,
  httpRecipe,
  type HttpRecipe,
  isHonest,
  requestBytes,
  unlessSlow,
} from './raw-http.ts';
import { runRounds, timeLimitMs } from './rounds.ts';
import { judge, makeToken, tokenRecipe, type TokenRecipe } from './tokens.ts';

const SHARE = 0.45;
const PLAIN = { method: 'POST', target: '/webhook' };
const KEYS = [
  { key: 'main', secret: 'secret-of-main' },
  { key: 'second', secret: 'secret-of-second' },
  { key: 'second', secret: 'next-secret-of-second' },
];
const NUDGING = ['room_started', 'room_finished', 'participant_joined', 'participant_left'];

interface BodyRecipe {
  readonly kind: 'event' | 'json' | 'bytes' | 'deep' | 'pollution' | 'large' | 'empty';
  readonly event: string;
  readonly name: string;
  readonly junk: unknown;
  readonly depth: number;
}

interface Recipe {
  readonly http: HttpRecipe;
  readonly token: TokenRecipe;
  readonly signer: number;
  readonly body: BodyRecipe;
  /** What the token says of the body. */
  readonly hash: 'right' | 'of-another' | 'hex' | 'none' | 'odd';
  readonly authorization: 'once' | 'bearer' | 'twice' | 'bad-first' | 'bad-last' | 'lower-case';
}

const kind = fc.oneof(
  { weight: 30, arbitrary: fc.constant('event' as const) },
  { weight: 20, arbitrary: fc.constantFrom('json', 'bytes', 'deep', 'pollution', 'empty') },
  { weight: 1, arbitrary: fc.constant('large' as const) },
);
const body: fc.Arbitrary<BodyRecipe> = fc
  .record({
    kind: fc.constantFrom('event' as const),
    event: fc.oneof(fc.constantFrom(...NUDGING, 'track_published', '__proto__', ''), fc.string()),
    name: fc.oneof(
      fc.string({ unit: 'grapheme', minLength: 1 }),
      fc.string({ unit: 'binary', minLength: 1 }),
      fc.constantFrom('x'.repeat(9_000), '\uD800', '\0', '../../x', '__proto__', '%00'),
    ),
    junk: fc.jsonValue({ maxDepth: 3 }),
    depth: fc.nat(20_000),
  })
  .chain((made) => kind.map((which) => ({ ...made, kind: which })));

const mostly = <T>(usual: T, ...odd: T[]) =>
  fc.oneof(
    { weight: 6, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
const recipe: fc.Arbitrary<Recipe> = fc.record({
  http: httpRecipe(PLAIN),
  token: tokenRecipe,
  signer: fc.nat(KEYS.length - 1),
  body,
  hash: mostly<Recipe['hash']>('right', 'of-another', 'hex', 'none', 'odd'),
  authorization: mostly<Recipe['authorization']>(
    'once',
    'bearer',
    'twice',
    'bad-first',
    'bad-last',
    'lower-case',
  ),
});

const log = new CountingLog();
const nudged = new Set<string>();
let listener: WebhookListener;
let lastId = 0;

beforeAll(async () => {
  listener = await createWebhookListener({
    listen: { host: '127.0.0.1', port: 0 },
    limits: { ...HTTP_LIMITS, headersMs: 2_000, requestMs: 2_000, idleMs: 2_000 },
    keys: KEYS.map(({ key, secret }) => ({ key, secret: new Secret(secret) })),
    taskAttribute: 'the.task',
    clock: systemClock,
    log,
    nudge: ({ sid }) => nudged.add(sid),
    healthy: () => true,
  });
});
afterAll(() => listener.close());

function bodyBytes({ kind: which, event, name, junk, depth }: BodyRecipe, sid: string): Buffer {
  const room = { sid, name, metadata: name, [`odd ${name.slice(0, 20)}`]: junk };
  const participant = { identity: name, attributes: { ['__proto__']: 'x', 'the.task': name } };
  const texts: Readonly<Record<BodyRecipe['kind'], () => string>> = {
    event: () => JSON.stringify({ event, room, participant, junk }),
    json: () => JSON.stringify(junk) ?? '',
    bytes: () => '\xff\xfe\0' + name,
    deep: () => `{"event":"room_started","x":${'['.repeat(depth)}${']'.repeat(depth)}}`,
    pollution: () => `{"__proto__":{"event":"room_started","room":{"sid":"${sid}","name":"n"}}}`,
    large: () => JSON.stringify({ event, room, padding: 'x'.repeat(1024 * 1024) }),
    empty: () => '',
  };
  return Buffer.from(texts[which](), which === 'bytes' ? 'latin1' : 'utf8');
}

function hashOf(bytes: Buffer, how: Recipe['hash']): unknown {
  const hash = createHash('sha256').update(bytes);
  switch (how) {
    case 'right':
      return hash.digest('base64');
    case 'of-another':
      return createHash('sha256').update(bytes).update(' ').digest('base64');
    case 'hex':
      return hash.digest('hex');
    case 'odd':
      return [hash.digest('base64')];
    default:
      return undefined;
  }
}

type Header = readonly [string, string];

function authorizations(how: Recipe['authorization'], token: string | null): Header[] {
  if (token === null) return [];
  const once: Header = ['Authorization', Buffer.from(token).toString('latin1')];
  const bad: Header = ['Authorization', 'x.y.z'];
  const shapes: Readonly<Record<Recipe['authorization'], Header[]>> = {
    once: [once],
    bearer: [['Authorization', `Bearer ${once[1]}`]],
    twice: [once, once],
    'bad-first': [bad, once],
    'bad-last': [once, bad],
    'lower-case': [['authorization', once[1]]],
  };
  return shapes[how];
}

async function attempt(made: Recipe): Promise<string | null> {
  const sid = `RM_${(lastId += 1)}`;
  const { key: issuer, secret } = KEYS[made.signer]!;
  const bytes = bodyBytes(made.body, sid);
  const claims = { sha256: hashOf(bytes, made.hash) };
  const token = makeToken(made.token, { issuer, secret, claims });
  const close = ['Connection', 'close'] as const;
  const headers = [close, ...authorizations(made.authorization, token)];
  const request = requestBytes(made.http, headers, bytes);
  const sent = () => exchange(listener.port, request, made.http);
  const { statuses, stuck } = await unlessSlow(sent);

  const secretsOf = (key: string) => KEYS.filter((each) => each.key === key).map((k) => k.secret);
  const claimed = judge(token, secretsOf);
  const genuine = claimed !== null && claimed['sha256'] === hashOf(bytes, 'right');
  const health = made.http.target.includes('healthz');
  const accepted = nudged.has(sid) || (statuses.includes(200) && !health);
  const plainly = made.authorization === 'once' || made.authorization === 'lower-case';
  const { kind: which, name } = made.body;
  const wellFormed = which === 'event' && Buffer.from(name).toString() === name;
  const honest = isHonest(made.http, PLAIN) && plainly && wellFormed;
  if (stuck) return 'was neither answered nor cut off';
  if (statuses.some((status) => status >= 500)) return `was answered ${statuses.join()}`;
  if (accepted && !genuine) return 'was accepted without a good signature';
  if (honest && genuine && statuses.join() !== '200') return `was answered ${statuses.join()}`;
  if (honest && !genuine && !/^40[01]$|^413$/.test(statuses.join())) {
    return `was answered ${statuses.join()}`;
  }
  return log.errors.length > 0 ? `made an error: ${log.errors.join()}` : null;
}

/** A good webhook is heard. */
async function stillWorks(): Promise<void> {
  const sid = `RM_${(lastId += 1)}`;
  const text = JSON.stringify({ event: 'room_started', room: { sid, name: 'n' } });
  const { key: issuer, secret } = KEYS[0]!;
  const claims = { sha256: hashOf(Buffer.from(text), 'right') };
  const token = makeToken({ defect: null, at: 0, text: '' }, { issuer, secret, claims });
  const headers = { authorization: token ?? '' };
  const url = `http://127.0.0.1:${listener.port}/webhook`;
  const answer = await fetch(url, { method: 'POST', body: text, headers });
  expect([answer.status, await answer.text()]).toEqual([200, 'ok\n']);
  await waitFor('the nudge', () => nudged.has(sid));
  nudged.clear();
}

test(
  'no bytes at its door bring a 5xx, a false acceptance, or an end to its work',
  () => runRounds({ name: 'webhook', share: SHARE, recipe, attempt, stillWorks }),
  timeLimitMs(SHARE),
);
