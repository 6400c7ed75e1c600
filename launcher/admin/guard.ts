/**
 * Keeps web pages away from the admin API. It has no password, because by default only this machine
 * reaches it; but a browser on this machine does too, on behalf of any page that it shows:
 *
 * - A page can send a POST to 127.0.0.1. Browsers then name the page's origin, so a POST that names
 *   a foreign one is refused.
 *   On a loopback address and by https, browsers also say by themselves whether a request comes from
 *   another site: all but a link that somebody follows is refused then, so that no foreign page keeps
 *   lines open either.
 * - A page can point its own host name at 127.0.0.1 (DNS rebinding) and then read answers as its
 *   own. The browser still sends that name as Host. A name that cannot be anybody else's is
 *   accepted: a loopback name, an address (no name, so nothing to rebind), and the name listened on.
 *
 * Health and metrics are outside of it: they are asked for by names that are not known here, of a
 * service or a pod, and tell numbers and the names of profiles alone.
 */
import { isIP } from 'node:net';

const FOREIGN = 'the request comes from a web page of another origin';

export interface RequestOrigin {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Sec-Fetch-Site, -Mode and -Dest. */
  readonly site?: string | undefined;
  readonly mode?: string | undefined;
  readonly dest?: string | undefined;
}

/** Why a request is refused, in one line, or null. `listenHost` is the host that is listened on. */
export function refusalOf(request: RequestOrigin, listenHost: string): string | null {
  const host = parseHost(request.host);
  if (!host || !isOwnName(host.hostname, listenHost)) {
    return 'the Host header must be localhost, an address, or the host of LAUNCHER_ADMIN_LISTEN';
  }
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const foreign = request.site === 'cross-site' || request.site === 'same-site';
  const isLink = reads && request.mode === 'navigate' && request.dest !== 'iframe';
  if (foreign && !isLink) return FOREIGN;
  if (request.origin === undefined) return null;
  if (URL.canParse(request.origin) && new URL(request.origin).host === host.host) return null;
  return FOREIGN;
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
