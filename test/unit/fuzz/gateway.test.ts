/** The gateway against whatever may dial it: requests, tokens, and frames once it let one in. */
import { JobType, RegisterWorkerRequest, WorkerPing } from '@livekit/protocol';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { TaskKey } from '../../../launcher/driver.ts';
import { taskSecret } from '../../../launcher/gateway/credentials.ts';
import { BARRED_MS } from '../../../launcher/gateway/door.ts';
import { createGateway } from '../../../launcher/gateway/gateway.ts';
import type { Gateway } from '../../../launcher/gateway/ports.ts';
import { decodeServer, encodeWorker } from '../../../launcher/gateway/wire.ts';
import { Secret } from '../../../launcher/lib/secret.ts';
import { FakeClock } from '../../fakes/clock.ts';
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

const SHARE = 0.35;
const PLAIN = { method: 'GET', target: '/agent' };
const SECRETS = [new Secret('gateway-secret'), new Secret('the-gateway-secret-before')];

interface FrameRecipe {
  readonly opcode: number;
  readonly flags: number;
  readonly masked: boolean;
  readonly length: 'true' | 'more' | 'less' | 'endless';
  readonly payload: Uint8Array;
}

interface Recipe {
  readonly http: HttpRecipe;
  readonly token: TokenRecipe;
  readonly secret: number;
  readonly grant: 'agent' | 'none' | 'false' | 'text';
  readonly scheme: 'Bearer' | 'bearer' | 'Basic' | '' | 'Bearer Bearer' | 'BEARER   ';
  readonly upgrade:
    'websocket' | 'none' | 'h2c' | 'bad-key' | 'no-key' | 'old-version' | 'extensions';
  readonly frames: readonly FrameRecipe[];
}

const mostly = <T>(usual: T, ...odd: T[]) =>
  fc.oneof(
    { weight: 7, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
  );
const register = encodeWorker({
  case: 'register',
  value: new RegisterWorkerRequest({ type: JobType.JT_ROOM, agentName: 'a' }),
});
const ping = encodeWorker({ case: 'ping', value: new WorkerPing({ timestamp: 2n ** 62n }) });
const payload = fc.oneof(
  fc.constantFrom(register, ping, new Uint8Array()),
  // A field of the envelope with anything in it.
  fc
    .tuple(fc.integer({ min: 1, max: 15 }), fc.nat(7), fc.uint8Array({ maxLength: 90 }))
    .map(([field, type, bytes]) => Uint8Array.of(field * 8 + type, bytes.length, ...bytes)),
  // Groups in groups, which a decoder may follow down.
  fc.nat(60_000).map((depth) => new Uint8Array(depth).fill(0x7b)),
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.constantFrom(register, ping), fc.nat(40), fc.nat(255)).map(([bytes, at, value]) => {
    return bytes.with(at % bytes.length, value);
  }),
);
const frame: fc.Arbitrary<FrameRecipe> = fc.record({
  opcode: mostly(2, 0, 1, 3, 8, 9, 10, 15),
  flags: mostly(0x80, 0, 0xc0, 0xf0, 0x40),
  masked: mostly(true, false),
  length: mostly<FrameRecipe['length']>('true', 'more', 'less', 'endless'),
  payload,
});
const recipe: fc.Arbitrary<Recipe> = fc.record({
  http: httpRecipe(PLAIN),
  token: tokenRecipe,
  secret: fc.nat(SECRETS.length - 1),
  grant: mostly<Recipe['grant']>('agent', 'none', 'false', 'text'),
  scheme: mostly<Recipe['scheme']>('Bearer', 'bearer', 'Basic', '', 'Bearer Bearer', 'BEARER   '),
  upgrade: mostly<Recipe['upgrade']>(
    'websocket',
    'none',
    'h2c',
    'bad-key',
    'no-key',
    'old-version',
    'extensions',
  ),
  frames: fc.array(frame, { maxLength: 5 }),
});

const log = new CountingLog();
const clock = new FakeClock();
let gateway: Gateway;
let lastId = 0;
/** Tasks that were handed a job: nobody is offered one here. */
const assigned: TaskKey[] = [];

beforeAll(async () => {
  gateway = await createGateway({
    listen: { host: '127.0.0.1', port: 0 },
    settingName: 'LAUNCHER_GATEWAY_LISTEN',
    headersTimeoutMs: 2_000,
    deployment: 'blue',
    secrets: SECRETS,
    taskLivekitUrl: 'wss://real.example',
    livekitUrl: 'http://127.0.0.1:1',
    mintToken: () => Promise.resolve('room-token'),
    mintCallToken: () => Promise.resolve('call-token'),
    host: {
      admit: () => ({ answer: 'welcome' }),
      look: async () => ({ decision: 'wait', reason: 'nothing to do' }),
      roomOf: async () => ({ answer: 'not-yet', reason: 'nothing to do' }),
      changed: (key, change) => void (change === 'assigned' && assigned.push(key)),
    },
    clock,
    log,
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const secretsOf = (issuer: string) =>
  SECRETS.map((each) => taskSecret(each, 'blue', issuer as TaskKey).reveal());

type Header = readonly [string, string];

function upgradeHeaders(how: Recipe['upgrade']): Header[] {
  if (how === 'none') return [['Connection', 'close']];
  const key = how === 'bad-key' ? 'x' : 'AAAAAAAAAAAAAAAAAAAAAA==';
  return [
    ['Connection', 'Upgrade'],
    ['Upgrade', how === 'h2c' ? 'h2c' : 'websocket'],
    ['Sec-WebSocket-Version', how === 'old-version' ? '7' : '13'],
    ...(how === 'no-key' ? [] : [['Sec-WebSocket-Key', key] as const]),
    ...(how === 'extensions'
      ? [['Sec-WebSocket-Extensions', 'permessage-deflate; x=" '] as const]
      : []),
  ];
}

function frameBytes({ opcode, flags, masked, length, payload: bytes }: FrameRecipe): Buffer {
  const claimed = { true: 0, more: 7, less: -1, endless: 2 ** 40 }[length] + bytes.length;
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(Math.max(claimed, 0)));
  const head = Buffer.from([flags | opcode, (masked ? 0x80 : 0) | 127]);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, size, Buffer.alloc(masked ? 4 : 0), bytes]);
}

async function attempt(made: Recipe): Promise<string | null> {
  const key = `r-RM_${(lastId += 1)}-1` as TaskKey;
  const secret = secretsOf(key)[made.secret]!;
  const grants = {
    agent: { agent: true },
    none: undefined,
    false: { agent: false },
    text: 'agent',
  };
  const token = makeToken(made.token, {
    issuer: key,
    secret,
    claims: { video: grants[made.grant] },
  });
  const text = Buffer.from(`${made.scheme} ${token}`).toString('latin1');
  const authorization: Header[] = token === null ? [] : [['Authorization', text]];
  const bytes = requestBytes(
    made.http,
    [...upgradeHeaders(made.upgrade), ...authorization],
    Buffer.alloc(0),
  );
  const frames = Buffer.concat(made.frames.map(frameBytes));
  const sent = () => exchange(gateway.port, bytes, made.http, frames);
  const { statuses, stuck } = await unlessSlow(sent);

  const claims = judge(token, secretsOf);
  const named = claims?.['iss'] === key && made.grant === 'agent';
  const genuine = named && /^bearer *$/i.test(made.scheme);
  const accepted = statuses.includes(101);
  const honest = isHonest(made.http, PLAIN) && made.upgrade === 'websocket';
  if (stuck) return 'was neither answered nor cut off';
  if (statuses.some((status) => status >= 500)) return `was answered ${statuses.join()}`;
  if (accepted && !genuine) return 'was let in without a good token';
  if (honest && genuine && !accepted) return `was answered ${statuses.join()}`;
  if (honest && !genuine && !/^40[01]$/.test(statuses.join()))
    return `was answered ${statuses.join()}`;
  if (assigned.length > 0) return `was assigned a job that nobody offered`;
  return log.errors.length > 0 ? `made an error: ${log.errors.join()}` : null;
}

/** All of the round's sockets are gone, and a good worker registers. */
async function stillWorks(): Promise<void> {
  await waitFor('all sockets to be closed', () => gateway.sockets().size === 0);
  await clock.advance(BARRED_MS);
  const key = `r-RM_${(lastId += 1)}-1` as TaskKey;
  const secret = taskSecret(SECRETS[0]!, 'blue', key).reveal();
  const good = { defect: null, at: 0, text: '' } as const;
  const token = makeToken(good, { issuer: key, secret, claims: { video: { agent: true } } });
  const headers = { authorization: `Bearer ${token}` };
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/agent`, { headers });
  try {
    const answer = new Promise((resolve, reject) => {
      socket.on('open', () => socket.send(register));
      socket.on('message', (data) => data instanceof Buffer && resolve(decodeServer(data)));
      socket.on('error', reject);
    });
    expect(await answer).toMatchObject({ case: 'register' });
  } finally {
    socket.terminate();
  }
  await waitFor('the socket to be closed', () => gateway.sockets().size === 0);
  expect(clock.pending).toBe(0);
}

test(
  'no bytes at its door bring a 5xx, let in who must stay out, or end its work',
  () => runRounds({ name: 'gateway', share: SHARE, recipe, attempt, stillWorks }),
  timeLimitMs(SHARE),
);
