/** Does LiveKit answer at LIVEKIT_URL, and does it know our key and secret? */
import type { Room } from '../core/room.ts';
import { reasonOf } from '../lib/log.ts';
import { LiveKitError } from '../livekit/errors.ts';
import { createLiveKit, type LiveKit, type LiveKitOptions } from '../livekit/rooms.ts';
import { type Finding, ok, type Seen, wrong } from './finding.ts';

export interface SeenLiveKit {
  readonly livekit: LiveKit;
  readonly rooms: readonly Room[];
}

const REMEDIES: Readonly<Record<LiveKitError['kind'], string>> = {
  unauthorized:
    "copy both from the server's `keys` (LiveKit Cloud: Settings, Keys); if `clocks` is wrong, mend that first",
  unavailable: 'start the server, or correct LIVEKIT_URL',
  invalid: 'correct scheme, host and port in LIVEKIT_URL',
};

/** What to do about a connection that failed, by the system's or the TLS library's code. */
const BY_CODE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start the server, or correct host and port in LIVEKIT_URL',
  ENOTFOUND: 'the host name cannot be resolved: correct it in LIVEKIT_URL',
  EAI_AGAIN: 'the host name cannot be resolved now: see to DNS, or correct LIVEKIT_URL',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no TLS is spoken there: write ws:// in LIVEKIT_URL, not wss://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no TLS is spoken there: write ws:// in LIVEKIT_URL, not wss://',
  UND_ERR_SOCKET: 'what listens there speaks no plain HTTP: write wss:// if it is a port of TLS',
  CERT_HAS_EXPIRED: "renew the server's certificate",
  SELF_SIGNED_CERT_IN_CHAIN: 'name the bundle of your CA in NODE_EXTRA_CA_CERTS',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'name the certificate in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'name the bundle of your CA in NODE_EXTRA_CA_CERTS',
  ERR_TLS_CERT_ALTNAME_INVALID: "write the host name that is in the server's certificate",
};

export async function examineLiveKit(
  options: LiveKitOptions,
  signal: AbortSignal,
): Promise<Seen<SeenLiveKit>> {
  const livekit = createLiveKit(options);
  try {
    const rooms = await livekit.listRooms(signal);
    const live = `${rooms.length} live ${rooms.length === 1 ? 'room' : 'rooms'}`;
    const text = `${options.url} answers and knows the API key ${options.apiKey}: ${live}`;
    return { findings: [ok(text)], value: { livekit, rooms } };
  } catch (error) {
    if (!(error instanceof LiveKitError)) throw error;
    return { findings: [findingOf(error)] };
  }
}

/** LiveKit's own words tell a wrong key from a wrong secret; they are passed on and never read. */
function findingOf(error: LiveKitError): Finding {
  const { kind, message, cause } = error;
  const words =
    kind === 'unauthorized' && cause instanceof Error ? `; it says: ${reasonOf(cause)}` : '';
  return wrong(`${message}${words}`, BY_CODE[codeOf(error)] ?? REMEDIES[kind]);
}

/** The innermost code of an error and its causes; empty without one. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const inner = codeOf(error.cause);
  if (inner !== '') return inner;
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
