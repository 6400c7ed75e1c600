/**
 * Opening and closing a listening server, the same way for all three listeners: an error names the
 * setting to change, and closing is bounded, so that one slow client cannot hold up an orderly end.
 */
import type { Server as HttpServer } from 'node:http';
import type { Server } from 'node:net';
import { assert } from './assert.ts';
import type { Clock } from './clock.ts';

export interface ListenAddress {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** 0: the system chooses one. */
  readonly port: number;
}

/** Connections that may wait to be accepted: a burst of them comes faster than one is taken in. */
const BACKLOG = 4096;

/** A listener that cannot open; the message says which setting, which address, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Opens `server` and resolves with the port that it got.
 * Rejects with `ListenError` (port in use, not permitted, no such address on this machine).
 */
export function listen(server: Server, address: ListenAddress, setting: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const what = `${setting} is ${formatAddress(address)}`;
      reject(new ListenError(`${what}: ${adviceFor(error.code)}`, { cause: error }));
    };
    server.once('error', failed);
    server.listen({ ...address, backlog: BACKLOG }, () => {
      server.off('error', failed);
      const bound = server.address();
      assert(bound !== null && typeof bound === 'object', 'a TCP listener has an address');
      resolve(bound.port);
    });
  });
}

/** Stops accepting, drops idle connections, lets open requests finish for at most `graceMs`, then cuts them off. */
export function closeServer(server: HttpServer, clock: Clock, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.timer(graceMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
  });
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(address: ListenAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${host}:${address.port}`;
}

const LOOPBACKS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** The host to ask on this machine for what listens at `host`: all interfaces are no destination. */
export function hostHere(host: string): string {
  return LOOPBACKS[host] ?? host;
}

const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there; stop it or choose another port',
  EACCES: 'not permitted; choose a port from 1024 up, or grant the right to bind it',
  EADDRNOTAVAIL: 'this machine has no such address; use one of its own, or 0.0.0.0 for all',
  ENOTFOUND: 'the host name cannot be resolved; use an address instead',
  EAI_AGAIN: 'the host name cannot be resolved; use an address instead',
};

function adviceFor(code = 'unknown error'): string {
  return ADVICE[code] ?? `cannot listen there (${code}); choose another address`;
}
