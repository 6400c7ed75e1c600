/**
 * Do tasks reach the gateway and LiveKit from where they run? Without a launcher that runs, the
 * doctor itself listens at the gateway's address for that moment.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { AccessToken } from 'livekit-server-sdk';
import { taskSecret } from '../gateway/credentials.ts';
import { agentUrl } from '../gateway/wire.ts';
import { systemClock } from '../lib/clock.ts';
import { closeServer, formatAddress, listen, type ListenAddress } from '../lib/listen.ts';
import type { Secret } from '../lib/secret.ts';
import { type Finding, ok, type Seen, unseen, warning, wrong } from './finding.ts';
import type { Ports } from './ports.ts';
import { DOCTOR_KEY, type Reply, type TasksPlace } from './tasks-place.ts';

const TOKEN_TTL_SECONDS = 60;
const CLOSE_GRACE_MS = 1_000;

export interface NetworkQuestion {
  readonly places: readonly TasksPlace[];
  readonly ports: Ports;
  readonly gatewayListen: ListenAddress;
  /** As tasks dial it, and how people call it. */
  readonly gatewayUrl: string;
  readonly gatewayIsGiven: boolean;
  readonly gatewaySecret: Secret;
  readonly deployment: string;
  readonly taskLivekitUrl: string;
  /** As seen from here. */
  readonly livekitIsWell: boolean;
}

/** Looks from the first place that can run a program, which is the value. */
export async function examineNetwork(
  question: NetworkQuestion,
  signal: AbortSignal,
): Promise<Seen<TasksPlace>> {
  const { ports, gatewayListen, gatewayUrl, taskLivekitUrl, places } = question;
  const standsIn = ports.launcher === null && ports.free.gateway;
  const nonce = randomBytes(8).toString('hex');
  const listener = standsIn ? await standIn(gatewayListen, nonce) : null;
  try {
    const gateway = {
      url: agentUrl(gatewayUrl).replace(/^ws/, 'http'),
      token: await dialToken(question),
    };
    const job = { gateway, livekit: `${taskLivekitUrl.replace(/^ws/, 'http')}/`, room: null };
    const reasons: string[] = [];
    for (const place of places) {
      const seen = await place.run(job, signal);
      if ('unrun' in seen) {
        reasons.push(`${place.name} (${seen.unrun})`);
        continue;
      }
      const isNobody = ports.launcher === null && !standsIn;
      const findings = [
        gatewayFinding(seen.gateway ?? {}, { question, place, nonce, isNobody }),
        livekitFinding(seen.livekit ?? {}, question, place),
      ];
      return { findings, value: place };
    }
    return { findings: [noProgram(reasons)] };
  } finally {
    await listener?.();
  }
}

/** A key that no task has: a gateway of ours knows its signature, and does not let it in. */
async function dialToken({ gatewaySecret, deployment }: NetworkQuestion): Promise<string> {
  const secret = taskSecret(gatewaySecret, deployment, DOCTOR_KEY).reveal();
  const token = new AccessToken(DOCTOR_KEY, secret, { ttl: TOKEN_TTL_SECONDS });
  token.addGrant({ agent: true });
  return token.toJwt();
}

/** Answers whoever comes with the nonce; the returned function ends it. */
async function standIn(address: ListenAddress, nonce: string): Promise<() => Promise<void>> {
  const server = createServer((_request, response) => {
    response.setHeader('x-room-launcher-doctor', nonce).end();
  });
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => socket.destroy());
    socket.end(`HTTP/1.1 200 OK\r\nx-room-launcher-doctor: ${nonce}\r\ncontent-length: 0\r\n\r\n`);
  });
  await listen(server, address, 'LAUNCHER_GATEWAY_LISTEN');
  return () => closeServer(server, systemClock, CLOSE_GRACE_MS);
}

interface Asked {
  readonly question: Pick<NetworkQuestion, 'gatewayUrl' | 'gatewayIsGiven' | 'gatewayListen'>;
  readonly place: Pick<TasksPlace, 'name'>;
  readonly nonce: string;
  /** Neither a launcher nor the doctor listens here. */
  readonly isNobody: boolean;
}

/** Statuses by which a gateway answers a good token of a task that it does not expect. */
const KNOWN_TO_GATEWAY = new Set([101, 409, 410]);

/** Pure: what the answer to a dial says. */
export function gatewayFinding(reply: Reply, { question, place, nonce, isNobody }: Asked): Finding {
  const { gatewayUrl, gatewayIsGiven, gatewayListen } = question;
  const what = gatewayIsGiven
    ? `LAUNCHER_GATEWAY_URL is ${gatewayUrl}`
    : `the gateway's URL for tasks is ${gatewayUrl}`;
  const { status, error } = reply;
  if (reply.nonce === nonce) return ok(`${what}: ${place.name} reaches it`);
  if (error !== undefined || status === undefined) {
    if (isNobody && !gatewayIsGiven) return unseen(`${what}: nothing of ours listens there now`);
    const remedy =
      'set LAUNCHER_GATEWAY_URL to where tasks reach LAUNCHER_GATEWAY_LISTEN ' +
      `${formatAddress(gatewayListen)} (a published port, a name), and let firewalls pass it`;
    return wrong(`${what}: ${place.name} cannot reach it (${error ?? 'no answer'})`, remedy);
  }
  if (status === 503 && isNobody) {
    return warning(`${what}: what answers there has no launcher behind it now (503)`);
  }
  if (KNOWN_TO_GATEWAY.has(status) || status === 503)
    return ok(`${what}: ${place.name} reaches it, and its credential is known there`);
  if (status === 401) {
    return wrong(
      `${what}: what answers there does not know the credentials of our tasks (401)`,
      "another deployment's launcher, or LiveKit itself: correct the URL, or give both launchers " +
        'the same LAUNCHER_DEPLOYMENT and LAUNCHER_GATEWAY_SECRET',
    );
  }
  return wrong(
    `${what}: what answers ${place.name} there is no gateway of ours (${status})`,
    `let it lead to LAUNCHER_GATEWAY_LISTEN ${formatAddress(gatewayListen)}, WebSockets too`,
  );
}

/** Pure: any answer below 500 is somebody's who listens; joining a room proves the rest. */
export function livekitFinding(
  { status, error }: Reply,
  { taskLivekitUrl, livekitIsWell }: Pick<NetworkQuestion, 'taskLivekitUrl' | 'livekitIsWell'>,
  place: Pick<TasksPlace, 'name'>,
): Finding {
  const what = `LiveKit's URL for tasks is ${taskLivekitUrl}`;
  if (status !== undefined && status < 500) return ok(`${what}: ${place.name} reaches it`);
  return wrong(
    `${what}: ${place.name} cannot reach it (${error ?? status ?? 'no answer'})`,
    livekitIsWell
      ? 'set LAUNCHER_TASK_LIVEKIT_URL to the server as tasks reach it, and let firewalls pass it'
      : 'mend `livekit` first',
  );
}

function noProgram(reasons: readonly string[]): Finding {
  return unseen(
    `neither Node nor Python to look with in ${reasons.join(', ')}`,
    'let a room with a visitor be served: `room-launcher doctor --probe` beside a launcher',
  );
}
