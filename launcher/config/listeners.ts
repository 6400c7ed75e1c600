/** The addresses of the three listeners, and whether they can be opened beside one another. */
import type { ListenAddress } from '../lib/listen.ts';
import type { Reader } from './reader.ts';
import { SETTINGS } from './settings.ts';

export interface ListenConfig {
  readonly webhookListen: ListenAddress;
  readonly gatewayListen: ListenAddress;
  readonly adminListen: ListenAddress;
}

const EVERYWHERE = ['0.0.0.0', '::'];

/** Appends an error for each pair that would take the same port. */
export function readListeners(read: Reader, errors: string[]): ListenConfig {
  const listeners = {
    webhookListen: read.orDefault(SETTINGS.webhookListen),
    gatewayListen: read.orDefault(SETTINGS.gatewayListen),
    adminListen: read.orDefault(SETTINGS.adminListen),
  };
  const named = [
    { name: SETTINGS.webhookListen.name, ...listeners.webhookListen },
    { name: SETTINGS.gatewayListen.name, ...listeners.gatewayListen },
    { name: SETTINGS.adminListen.name, ...listeners.adminListen },
  ];
  for (const [i, one] of named.entries()) {
    for (const other of named.slice(i + 1).filter((later) => collide(one, later))) {
      const both = `${one.name} and ${other.name}`;
      errors.push(`${both} both take port ${one.port}; give each listener a port of its own`);
    }
  }
  return listeners;
}

/** An address for all interfaces takes its port from every other one. */
function collide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const hosts = [a.host, b.host].map((host) => (host === 'localhost' ? '127.0.0.1' : host));
  return hosts[0] === hosts[1] || hosts.some((host) => EVERYWHERE.includes(host));
}
