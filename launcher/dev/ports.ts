/**
 * Free ports of 127.0.0.1, for what must know its port before it listens.
 *
 * They lie below those that systems give to whoever asks for any port (from 32768 on Linux, 49152
 * elsewhere): a connection that is opened meanwhile cannot take one before it is used. And each
 * process goes through them from a place of its own, so that neither it nor another one that looks at
 * the same time is given the same port before it is used.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';

const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES_MAX = 1_000;
/** Far apart for pids that follow one another: more than a process asks for while it starts things. */
const PORTS_PER_PID = 101;

let next = (process.pid * PORTS_PER_PID) % (HIGHEST - LOWEST);

/** `count` different TCP ports that nobody listens on now. */
export async function freeTcpPorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort(isFreeTcp));
  return [...ports];
}

/** One UDP port that nobody has bound now. */
export function freeUdpPort(): Promise<number> {
  return freePort(isFreeUdp);
}

/** Whether `address` is one of this machine's, so that something here can listen at it. */
export async function canListen(address: string): Promise<boolean> {
  return isFreeTcp(0, address);
}

async function freePort(isFree: (port: number) => Promise<boolean>): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = LOWEST + next;
    next = (next + 1) % (HIGHEST - LOWEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`found no free port between ${LOWEST} and ${HIGHEST}`);
}

async function isFreeTcp(port: number, address = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((closed) => void server.close(closed));
  }
}

async function isFreeUdp(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
