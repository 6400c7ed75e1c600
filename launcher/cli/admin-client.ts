/**
 * Asks a running launcher: its admin API, where `--admin` or the launcher's own setting says it is.
 * An address that stands for all of a machine's (`0.0.0.0`) is reached here by the loopback one.
 */
import { once } from 'node:events';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Readiness, RoomRow, TaskRow } from '../admin/ports.ts';
import { checkAdminListen } from '../config.ts';
import { loadSources } from '../config/load.ts';
import { EXIT_USAGE } from '../lib/exit-codes.ts';
import { formatAddress, hostHere } from '../lib/listen.ts';
import { reasonOf } from '../lib/log.ts';
import { CommandError, type CommandIo, waiting } from './io.ts';

const ANSWER_TIMEOUT_MS = 20_000;

export interface AdminClient {
  /** Without a slash at its end. */
  readonly url: string;
  rooms(): Promise<readonly RoomRow[]>;
  tasks(): Promise<readonly TaskRow[]>;
  /** What the launcher says of itself, also when it is not ready. */
  ready(): Promise<Readiness>;
  /** Any answer, good or bad. Rejects with `CommandError` when nobody answers. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** As `ask`, for an answer that may be silent for hours and still goes on. */
  follow(path: string): Promise<Response>;
}

/** Throws `CommandError` for an address that is none. */
export function adminClient(io: CommandIo, given: string | undefined): AdminClient {
  const url = given === undefined ? urlOfSettings(io) : urlOfOption(given);
  const ask = (path: string, init: RequestInit = {}) => request(url, path, init, io.signal);
  const json = async <T>(path: string, statuses: readonly number[]): Promise<T> => {
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    const answer = await waiting(io, `asking the launcher at ${url}`, () => ask(path, { signal }));
    if (!statuses.includes(answer.status)) throw await failure(answer, url);
    try {
      return (await answer.json()) as T;
    } catch {
      throw new CommandError(`what answers at ${url} is no launcher; ${ADDRESS_ADVICE}`);
    }
  };
  return {
    url,
    rooms: () => json('/api/rooms', [200]),
    tasks: () => json('/api/tasks', [200]),
    ready: () => json('/readyz', [200, 503]),
    ask,
    follow: (path) => answered(url, () => patient(`${url}${path}`, io.signal)),
  };
}

const ADDRESS_ADVICE = 'name its admin address with --admin or LAUNCHER_ADMIN_LISTEN';

/** An answer that is no good one, as what to say of it. */
export async function failure(answer: Response, url: string): Promise<CommandError> {
  const text = await answer.text();
  let error: unknown;
  try {
    error = (JSON.parse(text) as { readonly error?: unknown }).error;
  } catch {
    // No launcher's answer.
  }
  if (typeof error === 'string') return new CommandError(error);
  const message = `what answers at ${url} is no launcher (status ${answer.status})`;
  return new CommandError(`${message}; ${ADDRESS_ADVICE}`);
}

function request(url: string, path: string, init: RequestInit, end: AbortSignal) {
  return answered(url, () => fetch(`${url}${path}`, { ...init, signal: init.signal ?? end }));
}

/** Node's `fetch` takes five minutes without a byte for a lost connection; this takes it as it is. */
async function patient(address: string, signal: AbortSignal): Promise<Response> {
  const open = address.startsWith('https:') ? requestHttps : requestHttp;
  const asked = open(address, { signal }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const body = Readable.toWeb(answer) as ReadableStream<Uint8Array>;
  return new Response(body, { status: answer.statusCode ?? 0 });
}

async function answered(url: string, ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const advice = `start one with room-launcher serve, or ${ADDRESS_ADVICE}`;
    const why = reasonOf(cause) || 'connection refused';
    throw new CommandError(`no launcher answers at ${url} (${why}); ${advice}`);
  }
}

function urlOfOption(given: string): string {
  const url = URL.parse(given.includes('://') ? given : `http://${given}`);
  const whole = url !== null && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '';
  if (whole) return `${url.origin}${url.pathname}`.replace(/\/$/, '');
  const allowed = 'an address such as http://127.0.0.1:8082 or 127.0.0.1:8082';
  throw new CommandError(`--admin is ${JSON.stringify(given)}, but must be ${allowed}`, EXIT_USAGE);
}

function urlOfSettings(io: CommandIo): string {
  const loaded = loadSources(io);
  if ('error' in loaded) throw new CommandError(loaded.error, EXIT_USAGE);
  const read = checkAdminListen(loaded.sources);
  if ('error' in read) throw new CommandError(read.error, EXIT_USAGE);
  const { host, port } = read.adminListen;
  if (port === 0) {
    const why = 'which port the system chose is in its log (admin_port); name it with --admin';
    throw new CommandError(`LAUNCHER_ADMIN_LISTEN has port 0: ${why}`, EXIT_USAGE);
  }
  return `http://${formatAddress({ host: hostHere(host), port })}`;
}
