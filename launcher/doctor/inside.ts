/**
 * What tasks can reach, seen from where they run: this program is handed to Node inside a container,
 * as text, so it has Node's own modules alone. LiveKit's client, for media, is the image's.
 *
 * Its job comes by standard input, because a token must not show in an inspection or a list of
 * processes; its answer is one line of JSON.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { exit, stdin, stdout } from 'node:process';
import { text } from 'node:stream/consumers';

interface Door {
  readonly url: string;
  readonly token: string;
}

interface Job {
  /** `http(s)://`. */
  readonly gateway: Door | null;
  readonly livekit: string | null;
  /** A room to join. */
  readonly room: Door | null;
}

const CONNECT_TIMEOUT_MS = 6_000;
const JOIN_TIMEOUT_MS = 12_000;
const LEAVE_TIMEOUT_MS = 3_000;

/** The status of an answer and the doctor's own header in it, or the code of what went wrong. */
function ask(url: string, headers: Readonly<Record<string, string>>): Promise<object> {
  return new Promise((resolve) => {
    const start = url.startsWith('https') ? httpsRequest : httpRequest;
    const request = start(url, { headers, timeout: CONNECT_TIMEOUT_MS });
    const failed = (error: NodeJS.ErrnoException) =>
      resolve({ error: error.code ?? error.message });
    request.once('response', (response) => {
      response.resume();
      const nonce = response.headers['x-room-launcher-doctor'] ?? null;
      resolve({ status: response.statusCode, nonce });
    });
    request.once('upgrade', (_response, socket) => {
      socket.destroy();
      resolve({ status: 101, nonce: null });
    });
    request.once('timeout', () =>
      request.destroy(Object.assign(new Error(), { code: 'ETIMEDOUT' })),
    );
    request.once('error', failed);
    request.end();
  });
}

/** As a worker dials. */
function dial({ url, token }: Door): Promise<object> {
  return ask(url, {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    authorization: `Bearer ${token}`,
  });
}

/** Joins the room, and says by which protocol media flows. */
async function join({ url, token }: Door): Promise<object> {
  const client = await import('@livekit/rtc-node').catch(() => null);
  if (client === null) return { missing: true };
  const room = new client.Room();
  try {
    await Promise.race([
      room.connect(url, token, { autoSubscribe: false, dynacast: false }),
      late(JOIN_TIMEOUT_MS, 'no connection for media'),
    ]);
    return { protocol: protocolOf(JSON.parse(JSON.stringify(await room.getRtcStats()))) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    await Promise.race([room.disconnect(), late(LEAVE_TIMEOUT_MS, '')]).catch(() => {});
  }
}

function late(afterMs: number, what: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(`${what} within ${afterMs / 1_000} s`)), afterMs).unref();
  });
}

interface Stats {
  readonly publisherStats?: readonly Stat[];
  readonly subscriberStats?: readonly Stat[];
}

/** One of them, as WebRTC's statistics go. */
interface Stat {
  readonly candidatePair?: {
    readonly candidatePair: { readonly localCandidateId: string; readonly nominated: boolean };
  };
  readonly localCandidate?: {
    readonly rtc: { readonly id: string };
    readonly candidate: { readonly protocol: string };
  };
}

/** Of the pair of addresses that was chosen; null where the client does not say. */
function protocolOf({ publisherStats = [], subscriberStats = [] }: Stats): string | null {
  const stats = [...publisherStats, ...subscriberStats];
  const chosen = stats.find((stat) => stat.candidatePair?.candidatePair.nominated);
  const id = chosen?.candidatePair?.candidatePair.localCandidateId;
  const local = stats.find((stat) => stat.localCandidate?.rtc.id === id);
  return local?.localCandidate?.candidate.protocol ?? null;
}

const job: Job = JSON.parse(await text(stdin));
const [gateway, livekit] = await Promise.all([
  job.gateway && dial(job.gateway),
  job.livekit && ask(job.livekit, {}),
]);
const media = job.room && (await join(job.room));
await new Promise((written) => {
  stdout.write(`${JSON.stringify({ gateway, livekit, media })}\n`, written);
});
// A client that still tries to connect would keep the program.
exit();
