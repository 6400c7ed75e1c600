/**
 * Where the engine is, by the rules of the `docker` command's own variables. Contexts and `ssh://`
 * are not followed: a socket or a TCP address is all that a service needs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DriverError } from '../../driver.ts';
import { reasonOf } from '../../lib/log.ts';

/** As `DOCKER_HOST`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` say it. */
export interface EngineAddress {
  /** `unix:///path`, `tcp://host:port`; by default the engine's usual socket. */
  readonly host?: string;
  /** TLS for a `tcp://` address; with `certPath` it is on as well. */
  readonly tls?: boolean;
  /** Folder of `ca.pem`, `cert.pem` and `key.pem`. */
  readonly certPath?: string;
}

/** What the client library takes; every field is set, so that it looks at no variable itself. */
export interface Connection {
  readonly protocol: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly socketPath: string;
  readonly pathPrefix: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

const DEFAULT_HOST = 'unix:///var/run/docker.sock';
const PORTS = { http: 2375, https: 2376 } as const;

/** Rejects an address that is none with `DriverError` `invalid`, which names the variable. */
export function connectionOf(address: EngineAddress): Connection {
  const host = address.host || DEFAULT_HOST;
  const url = URL.parse(host);
  const nowhere = { host: '', port: 0, socketPath: '', pathPrefix: '/' };
  if (url?.protocol === 'unix:' && url.pathname.startsWith('/')) {
    return { ...nowhere, protocol: 'http', socketPath: decodeURIComponent(url.pathname) };
  }
  if (url === null || !['tcp:', 'http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    const allowed = 'unix:///path/to/docker.sock or tcp://host:port';
    throw new DriverError('invalid', `DOCKER_HOST is "${host}": allowed is ${allowed}`);
  }
  const secure = url.protocol === 'https:' || address.tls === true || Boolean(address.certPath);
  const protocol = secure ? 'https' : 'http';
  const port = url.port === '' ? PORTS[protocol] : Number(url.port);
  return { ...nowhere, protocol, host: url.hostname, port, ...certificates(address.certPath) };
}

/** The address in one line, for messages. */
export function addressText({ protocol, host, port, socketPath }: Connection): string {
  return socketPath === '' ? `${protocol}://${host}:${port}` : `unix://${socketPath}`;
}

function certificates(folder: string | undefined): Pick<Connection, 'ca' | 'cert' | 'key'> {
  if (!folder) return {};
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  try {
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  } catch (error) {
    const message = `DOCKER_CERT_PATH is "${folder}": ${reasonOf(error)}`;
    throw new DriverError('invalid', message, { cause: error });
  }
}
