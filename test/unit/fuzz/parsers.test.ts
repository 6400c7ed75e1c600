/** The parts that read what others wrote, each alone: they answer, they never throw. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { refusalOf } from '../../../launcher/admin/guard.ts';
import { isTaskKey, type TaskKey } from '../../../launcher/driver.ts';
import { taskSecret, verifyTaskToken } from '../../../launcher/gateway/credentials.ts';
import { judgeFrame } from '../../../launcher/gateway/frames.ts';
import { isAgentPath } from '../../../launcher/gateway/http.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { toNudge } from '../../../launcher/webhook/nudge.ts';
import { openBody, signatureCheck } from '../../../launcher/webhook/verify.ts';
import { createHash } from 'node:crypto';
import { runRounds, timeLimitMs } from './rounds.ts';
import { judge, makeToken, tokenRecipe } from './tokens.ts';

const SHARE = 0.2;
const GATEWAY_SECRET = new Secret('gateway-secret');
const SECRET_OF_MAIN = 'secret-of-main';
const mainSecrets = (key: string) => (key === 'main' ? [SECRET_OF_MAIN] : []);
const check = signatureCheck([{ key: 'main', secret: new Secret(SECRET_OF_MAIN) }]);
const wild = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.json());

const recipe = fc.record({
  token: tokenRecipe,
  key: fc.oneof(fc.constant('r-RM_a-1'), wild),
  body: fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .record({ event: wild, room: fc.jsonValue(), participant: fc.jsonValue(), createdAt: wild })
      .map((event) => Buffer.from(JSON.stringify(event))),
  ),
  frame: fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.string()),
  registered: fc.boolean(),
  target: wild,
  host: wild,
});
type Recipe = typeof recipe extends fc.Arbitrary<infer T> ? T : never;

async function attempt(made: Recipe): Promise<string | null> {
  const sha256 = createHash('sha256').update(made.body).digest('base64');
  const claims = { sha256, video: { agent: true } };
  const webhookToken = makeToken(made.token, { issuer: 'main', secret: SECRET_OF_MAIN, claims });
  const signature = await check(webhookToken ?? undefined);
  const good = judge(webhookToken, mainSecrets);
  if ('sha256' in signature && good === null) return 'took a bad webhook token';
  if ('refused' in signature && made.token.defect === null) return 'refused a good webhook token';
  if ('sha256' in signature) {
    const opened = openBody(made.body, signature);
    if (opened.outcome === 'genuine') toNudge(opened.event, made.target);
    if (openBody(Buffer.concat([made.body, Buffer.from(' ')]), signature).outcome !== 'unsigned') {
      return 'took another body than the one that was signed';
    }
  }

  const secretOf = (key: string) => taskSecret(GATEWAY_SECRET, 'blue', key as TaskKey).reveal();
  const signer = { issuer: made.key, secret: secretOf(made.key), claims };
  const token = makeToken(made.token, signer);
  const taskCheck = await verifyTaskToken([GATEWAY_SECRET], 'blue', `Bearer ${token}`);
  const letIn = 'key' in taskCheck;
  const goodTask = judge(token, (key) => (isTaskKey(key) ? [secretOf(key)] : []));
  if (letIn && (goodTask === null || taskCheck.key !== goodTask['iss'])) return 'let in a stranger';
  if (!letIn && made.token.defect === null && isTaskKey(made.key)) return 'kept a task out';

  const judged = judgeFrame(made.frame, typeof made.frame !== 'string', made.registered);
  if ('violation' in judged && Buffer.byteLength(judged.violation.reason) > 123) return 'too long';
  if (isAgentPath(made.target) && !made.target.includes('agent')) return 'took a wrong path';
  const foreign = { method: 'POST', host: '127.0.0.1:1', origin: made.host };
  const page = refusalOf(foreign, '127.0.0.1');
  if (page === null && !made.host.endsWith('127.0.0.1:1')) return 'took a foreign page';
  refusalOf({ method: 'GET', host: made.host, origin: undefined }, '127.0.0.1');
  return null;
}

test(
  'no input makes a parser throw, or say yes to what is bad',
  () => runRounds({ name: 'parsers', share: SHARE, recipe, attempt, stillWorks: async () => {} }),
  timeLimitMs(SHARE),
);

test('the judge of the tests knows good from bad', () => {
  const good = { defect: null, at: 0, text: '' } as const;
  const signer = { issuer: 'main', secret: SECRET_OF_MAIN, claims: { sha256: 'x' } };
  expect(judge(makeToken(good, signer), mainSecrets)).toMatchObject({ iss: 'main', sha256: 'x' });
  for (const defect of ['other-secret', 'alg-none', 'alg-hs512', 'expired', 'early'] as const) {
    expect(judge(makeToken({ ...good, defect }, signer), mainSecrets)).toBeNull();
  }
});
