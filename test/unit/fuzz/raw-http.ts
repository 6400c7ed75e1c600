/** Requests as bytes, honest and lying, and a client that sends them as they are. */
import { connect } from 'node:net';
import * as fc from 'fast-check';

/** Far beyond the limits that the servers under test are given. */
const DEADLINE_MS = 15_000;

const FRAMINGS = [
  'length',
  'chunked',
  'short-length',
  'long-length',
  'length-and-chunks',
  'two-lengths',
  'negative-length',
  'huge-length',
  'no-length',
  'unknown-coding',
  'cut-chunk',
  'bad-chunk',
] as const;
const HONEST: readonly string[] = ['length', 'chunked'];
/** The server waits for more of these; few clients stay to see themselves cut off, for it takes time. */
const UNFINISHED: readonly string[] = ['long-length', 'huge-length', 'cut-chunk'];
const PATIENT_ONE_IN = 60;

const EXTRAS = [
  ['Content-Type', 'application/webhook+json'],
  ['Content-Type', 'multipart/form-data; boundary=x'],
  ['Accept-Encoding', 'gzip, br'],
  ['X-Forwarded-For', '::1'],
  ['Cookie', '__proto__=1; constructor=2'],
  ['__proto__', 'x'],
  ['constructor', 'x'],
  ['X-Long', 'x'.repeat(3_000)],
] as const;

/** Lines that no honest request has. Each is tried alone. */
const ODD_LINES = [
  'X-Huge: ' + 'x'.repeat(20_000),
  Array.from({ length: 2_100 }, (_, n) => `X-${n}: y`).join('\r\n'),
  'X-Nul: a\0b',
  'X-Folded: a\r\n b',
  'No colon',
  ': no name',
  'Space before : x',
  'X-Bare: a\nb',
  'X-Bytes: \xff\xfe',
  'Expect: 100-continue',
  'Expect: the-unexpected',
  'Content-Encoding: gzip',
  'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings',
  'Connection: keep-alive, Upgrade',
  'Connection: close, close',
  'Transfer-Encoding: identity',
  'Trailer: Authorization',
];

export interface HttpRecipe {
  readonly start: 'plain' | 'odd';
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly hosts: readonly string[];
  readonly extras: readonly (readonly [string, string])[];
  readonly oddLine: string | null;
  readonly framing: (typeof FRAMINGS)[number];
  /** Sizes of the pieces in which the request is written. */
  readonly pieces: readonly number[];
  /** What the client does when all is written: waits to be answered or cut off, or goes away. */
  readonly finish: 'wait' | 'end' | 'reset';
}

const mostly = <T>(usual: T, odd: fc.Arbitrary<T>, weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });

/** Most parts of most requests are plain, so that the odd one is reached. */
export function httpRecipe(plain: { method: string; target: string }): fc.Arbitrary<HttpRecipe> {
  const words = fc.constantFrom('GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT');
  const methods = fc.oneof(words, fc.constantFrom('post', 'BREW', 'PRI', 'POST POST', ''));
  const { target: path } = plain;
  const targets = fc.oneof(
    fc.constantFrom('/', '*', '//', path, `${path}/`, `${path}?x=%00`, `${path}#x`, `/x/..${path}`),
    fc.constantFrom(`http://x${path}`, `http://`, 'x', '/\\', '/%', '/%E0%A4%A', `${path}%00`, ''),
    fc.constantFrom(`/${'a'.repeat(9_000)}`, '/healthz', '/__proto__', '/twirp/livekit.X/Y', '/[]'),
    fc.webPath({ size: 'small' }),
    fc.string({ unit: 'binary', maxLength: 20 }),
  );
  const hosts = fc.constantFrom<string[]>(
    [],
    [''],
    ['x', 'y'],
    ['a b'],
    ['[::1'],
    ['x:99999'],
    ['\xff'],
    ['a:b\u0040c'],
    ['x/y'],
  );
  const made = fc.record({
    start: mostly<'plain' | 'odd'>('plain', fc.constant('odd'), 30),
    method: mostly(plain.method, methods, 12),
    target: mostly(plain.target, targets, 12),
    version: mostly(
      'HTTP/1.1',
      fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9', 'HTTP', ''),
      30,
    ),
    hosts: mostly<string[]>(['x'], hosts, 30),
    extras: fc.array(fc.constantFrom(...EXTRAS), { maxLength: 4 }),
    oddLine: mostly<string | null>(null, fc.constantFrom(...ODD_LINES), 12),
    framing: mostly<HttpRecipe['framing']>('length', fc.constantFrom(...FRAMINGS), 6),
    pieces: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 3 }),
    finish: mostly<HttpRecipe['finish']>('wait', fc.constantFrom('end', 'reset'), 10),
  });
  const patience = fc.nat(PATIENT_ONE_IN - 1).map((n) => n === 0);
  return fc.tuple(made, patience).map(([recipe, patient]) => {
    const leaves = UNFINISHED.includes(recipe.framing) && recipe.finish === 'wait' && !patient;
    return leaves ? { ...recipe, finish: 'end' } : recipe;
  });
}

/** Whether a request is one that nobody could object to, whatever it carries. */
export function isHonest(recipe: HttpRecipe, plain: { method: string; target: string }): boolean {
  const { method, target, version, hosts, start, oddLine, framing, finish } = recipe;
  const straight = start === 'plain' && method === plain.method && target === plain.target;
  const usual = version === 'HTTP/1.1' && hosts.join() === 'x' && oddLine === null;
  return straight && usual && HONEST.includes(framing) && finish === 'wait';
}

type Header = readonly [string, string];

/** The request's bytes. */
export function requestBytes(
  recipe: HttpRecipe,
  headers: readonly Header[],
  body: Uint8Array,
): Buffer {
  const { method, target, version, hosts, extras, oddLine, start } = recipe;
  const framed = frame(recipe.framing, Buffer.from(body));
  const hostLines = hosts.map((host) => ['Host', host] as const);
  const all = [...hostLines, ...extras, ...headers, ...framed.headers];
  const lines = [
    `${method} ${target} ${version}`,
    ...all.map(([name, value]) => `${name}: ${value}`),
  ];
  if (oddLine !== null) lines.push(oddLine);
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const before = start === 'odd' ? Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]) : Buffer.alloc(0);
  return Buffer.concat([before, head, framed.body]);
}

const lengthOf = (value: number | string) => ['Content-Length', String(value)] as const;
const coded = (value: string) => ['Transfer-Encoding', value] as const;

function frame(framing: HttpRecipe['framing'], body: Buffer): { headers: Header[]; body: Buffer } {
  const size = body.length;
  switch (framing) {
    case 'length':
      return { headers: [lengthOf(size)], body };
    case 'chunked':
      return { headers: [coded('chunked')], body: chunked(body) };
    case 'short-length':
      return { headers: [lengthOf(Math.max(size - 3, 0))], body };
    case 'long-length':
      return { headers: [lengthOf(size + 3)], body };
    case 'length-and-chunks':
      return { headers: [lengthOf(size), coded('chunked')], body: chunked(body) };
    case 'two-lengths':
      return { headers: [lengthOf(size), lengthOf(size + 1)], body };
    case 'negative-length':
      return { headers: [lengthOf(-size - 1)], body };
    case 'huge-length':
      return { headers: [lengthOf('9'.repeat(30))], body };
    case 'no-length':
      return { headers: [], body };
    case 'unknown-coding':
      return { headers: [coded('gzip, chunked')], body: chunked(body) };
    case 'cut-chunk':
      return { headers: [coded('chunked')], body: chunked(body).subarray(0, -4) };
    case 'bad-chunk':
      return { headers: [coded('chunked')], body: Buffer.concat([Buffer.from('zz\r\n'), body]) };
    default:
      return framing satisfies never;
  }
}

/** Two chunks, the first with an extension. */
function chunked(body: Buffer): Buffer {
  const half = body.length >> 1;
  const parts = [body.subarray(0, half), body.subarray(half)].filter((part) => part.length > 0);
  const chunks = parts.flatMap((part, n) => [
    Buffer.from(`${part.length.toString(16)}${n === 0 ? ';x=y' : ''}\r\n`),
    part,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
}

export interface Heard {
  /** Of all answers that came, in order. */
  readonly statuses: readonly number[];
  /** True: nobody cut the connection off, or answered, for a long time. */
  readonly stuck: boolean;
}

/** Sends the bytes in pieces and listens to the connection's end. `after` follows an answer of 101. */
export function exchange(
  port: number,
  bytes: Buffer,
  { pieces, finish }: Pick<HttpRecipe, 'pieces' | 'finish'>,
  after?: Buffer,
): Promise<Heard> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let heard = '';
    const settle = (stuck: boolean) => {
      clearTimeout(deadline);
      socket.destroy();
      resolve({ statuses: statusesIn(heard), stuck });
    };
    const deadline = setTimeout(() => settle(true), DEADLINE_MS);
    socket.on('error', () => {});
    socket.on('close', () => settle(false));
    socket.on('data', (data) => {
      const upgraded = heard.startsWith('HTTP/1.1 101');
      heard += upgraded ? '' : data.toString('latin1');
      if (!upgraded && heard.startsWith('HTTP/1.1 101')) socket.end(after ?? '');
      else if (isAnswered(heard)) settle(false);
    });
    for (const piece of cut(bytes, pieces)) socket.write(piece);
    if (finish === 'end') socket.end();
    if (finish === 'reset') socket.write('', () => socket.destroy());
  });
}

/** A machine that is too busy to take a request in by the short limits of a test: once more, then. */
export async function unlessSlow(sent: () => Promise<Heard>): Promise<Heard> {
  const heard = await sent();
  return heard.statuses.join() === '408' ? sent() : heard;
}

function cut(bytes: Buffer, pieces: readonly number[]): Buffer[] {
  const cuts: Buffer[] = [];
  let at = 0;
  for (const size of pieces) cuts.push(bytes.subarray(at, (at += size)));
  return [...cuts, bytes.subarray(at)];
}

function statusesIn(heard: string): number[] {
  return [...heard.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** A whole final answer is there: nothing more is waited for. */
function isAnswered(heard: string): boolean {
  const final = heard.replace(/^(?:HTTP\/1\.1 100 [^\r]*\r\n\r\n)+/, '');
  const end = final.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(final.slice(0, end))?.[1];
  return length !== undefined && final.length >= end + 4 + Number(length);
}
