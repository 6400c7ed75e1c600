/**
 * Keeps web pages away from the admin API. It has no password, because by default only this machine
 * reaches it; but a browser on this machine does too, on behalf of any page that it shows:
 *
 * - A page can send a POST to 127.0.0.1. Browsers then name the page's origin, so a POST that names
 *   a foreign one is refused.
 * - A page can point its own host name at 127.0.0.1 (DNS rebinding) and then read answers as its
 *   own. The browser still sends that name as Host. A name that cannot be anybody else's is
 *   accepted: a loopback name, an address (no name, so nothing to rebind), and the name listened on.
 */
import { isIP } from 'node:net';

export interface RequestOrigin {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** Why a request is refused, in one line, or null. `listenHost` is the host that is listened on. */
export function refusalOf(request: RequestOrigin, listenHost: string): string | null {
  const host = parseHost(request.host);
  if (!host || !isOwnName(host.hostname, listenHost)) {
    return 'the Host header must be localhost, an address, or the host of LAUNCHER_ADMIN_LISTEN';
  }
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (reads || request.origin === undefined) return null;
  if (URL.canParse(request.origin) && new URL(request.origin).host === host.host) return null;
  return 'the request comes from a web page of another origin';
}

function parseHost(header: string | undefined): URL | null {
  const url = `http://${header}`;
  if (!header || !/^[\w.:[\]-]+$/.test(header) || !URL.canParse(url)) return null;
  return new URL(url);
}

function isOwnName(hostname: string, listenHost: string): boolean {
  const name = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const loopback = name === 'localhost' || name.endsWith('.localhost');
  return loopback || isIP(name) !== 0 || name === listenHost.toLowerCase();
}
